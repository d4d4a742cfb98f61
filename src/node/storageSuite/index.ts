// Test suites for storages of other authors, `import … from 'raftstep/storage-suite'`. Re-exports only.

export { durableLogSuite, type DurableLogSuiteOptions, type DurableLogUnderTest } from './durableLogSuite.js';
export { storageSuite, type StorageSuiteOptions, type StorageUnderTest } from './storageSuite.js';
