// The public surface of the write-ahead log, `import … from 'raftstep/wal'`. Re-exports only.

export type { DurableLog, LogWrite } from '../shared/durableLog.js';
export { FileAccess, type File, type FileSystem } from '../shared/fileSystem.js';
export { nodeFileSystem } from '../shared/nodeFileSystem.js';
export { systemClock, type Clock } from '../shared/clock.js';
export type { DirectoryLock } from './directoryLock.js';
export type { WalEnvironment } from './environment.js';
export { systemEnvironment } from './systemEnvironment.js';
export { isWalError, WalError, WalErrorCode, type WalErrorDetail } from './walError.js';
export type { WalOptions } from './walOptions.js';
export { dumpLog, type DumpOptions } from './dump.js';
export { LogVerdict, verifyLog, type InspectOptions, type LogContents, type LogReport, type TornTail } from './inspect.js';
export { WalStorage } from './walStorage.js';
export type { WalIdentity } from './segmentHeader.js';
export type { WalWrite } from './writePlan.js';
