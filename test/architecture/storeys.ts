/**
 * The plan of the house: which part stands on which, and which words a part may not use. The rules in `rules.ts` compare
 * `src/` with it; a file that stands nowhere here fails the test.
 */

/** One level of the core. `holds` names modules (`core/types`) or whole folders (`core/quorum/`). */
export interface Storey {
  readonly name: string;
  readonly holds: readonly string[];
}

/** The storeys of the core, lowest first. An import goes to the same storey or down. A module's own row wins over its folder's. */
export const coreStoreys: readonly Storey[] = [
  { name: 'vocabulary', holds: ['core/types', 'core/errors', 'core/logger', 'core/random', 'core/quoteBytes'] },
  { name: 'records', holds: ['core/raftpb/'] },
  { name: 'quorum', holds: ['core/quorum/'] },
  { name: 'what a node knows', holds: ['core/tracker/', 'core/storage/', 'core/log/'] },
  { name: 'membership algebra', holds: ['core/confchange/'] },
  {
    name: 'the record and its outbox',
    holds: ['core/trace', 'core/config', 'core/raft/raft', 'core/raft/readOnly', 'core/raft/outbox', 'core/raft/stepResult'],
  },
  { name: 'protocol concerns', holds: ['core/raft/'] },
  { name: 'routing', holds: ['core/raft/roles/', 'core/raft/step', 'core/raft/tick', 'core/raft/newRaft'] },
  {
    name: 'the API',
    holds: ['core/storageMessages', 'core/ready', 'core/status', 'core/describe', 'core/bootstrap', 'core/json', 'core/rawNode', 'core/checkInvariants', 'core/index'],
  },
];

/**
 * The storeys of the write-ahead log, lowest first: bytes, what they mean, files, what runs. All of it stands on
 * `node/shared`, a wing of its own.
 */
export const walStoreys: readonly Storey[] = [
  {
    name: 'words and bytes',
    holds: ['node/wal/format', 'node/wal/words', 'node/wal/names', 'node/wal/walError', 'node/wal/damage', 'node/wal/batchBuilder', 'node/wal/segmentHeader', 'node/wal/segmentScan'],
  },
  {
    name: 'what a log says',
    holds: ['node/wal/termRuns', 'node/wal/logState', 'node/wal/replay', 'node/wal/placeIndex', 'node/wal/entryCache', 'node/wal/writePlan', 'node/wal/walOptions'],
  },
  { name: 'parts that touch the disk', holds: ['node/wal/'] },
  { name: 'putting them together', holds: ['node/wal/recovery', 'node/wal/walDirectory', 'node/wal/walWriter', 'node/wal/walLoader'] },
  { name: 'the log and the tool', holds: ['node/wal/walStorage', 'node/wal/inspect', 'node/wal/dump'] },
  { name: 'the surface', holds: ['node/wal/index', 'node/wal/inspectCommand', 'node/wal/cli'] },
];

/** A part of `src/` with its own tsconfig: what it may import besides itself. */
export interface Wing {
  /** Folder of the wing, from src/, with a slash at the end. */
  readonly folder: string;
  /** Wings it may import. */
  readonly uses: readonly string[];
  /** Packages it may import; `node:` stands for every module of Node. */
  readonly packages: readonly string[];
}

/**
 * `core <- codec <- node/wal` and `core <- sim <- visualizer`; what the parts of node share stands below them. The simulator and the visualizer never import the codec, so a page
 * carries no protobufjs; node and visualizer never meet. The storage suite knows no storage. The first folder that fits is the wing.
 */
export const wings: readonly Wing[] = [
  { folder: 'core/', uses: [], packages: [] },
  { folder: 'codec/', uses: ['core/'], packages: ['protobufjs/minimal', 'protobufjs/minimal.js'] },
  { folder: 'sim/', uses: ['core/'], packages: [] },
  { folder: 'node/shared/', uses: ['core/'], packages: ['node:'] },
  { folder: 'node/storageSuite/', uses: ['core/', 'node/shared/'], packages: ['node:'] },
  { folder: 'node/wal/', uses: ['core/', 'codec/', 'node/shared/'], packages: ['node:'] },
  { folder: 'node/', uses: ['core/', 'codec/'], packages: ['node:', 'protobufjs', 'protobufjs/minimal', 'protobufjs/minimal.js'] },
  { folder: 'visualizer/', uses: ['core/', 'sim/'], packages: [] },
];

/** Wings that must give the same answer for the same input, on any machine: no clock, no chance, no host. */
export const deterministicWings: readonly string[] = ['core/', 'codec/', 'sim/'];

/** Names of the outside world that a deterministic wing may not use, each with the modules that may all the same. */
export const forbiddenNames: ReadonlyMap<string, readonly string[]> = new Map([
  ['Date', []],
  ['performance', []],
  ['setTimeout', []],
  ['setInterval', []],
  ['setImmediate', []],
  ['queueMicrotask', []],
  ['requestAnimationFrame', []],
  ['console', []],
  ['process', []],
  ['Buffer', []],
  ['globalThis', []],
  ['crypto', []],
  ['Math.random', ['core/random']],
]);

/**
 * Property writes that one concern owns: who becomes leader is decided in one file, the state of a follower's progress in
 * another. A Status only fills in its own copy.
 */
export const ownedWrites: ReadonlyMap<string, readonly string[]> = new Map([
  ['state', ['core/raft/transitions', 'core/tracker/progress', 'core/status']],
]);

/** Lists that only their owner adds to: a message that leaves past the outbox would miss its term and its durability. */
export const ownedLists: ReadonlyMap<string, readonly string[]> = new Map([
  ['msgs', ['core/raft/outbox']],
  ['msgsAfterAppend', ['core/raft/outbox']],
]);

/** Lines of a source file at most, comments included. */
export const maxLines = 500;
