import asyncHooks, { AsyncLocalStorage } from 'node:async_hooks';
import { constants, createContext, runInContext } from 'node:vm';

import { TestEnvironment } from 'jest-environment-node';

type Arguments = ConstructorParameters<typeof TestEnvironment>;
type Global = InstanceType<typeof TestEnvironment>['global'];
type Mocker = NonNullable<InstanceType<typeof TestEnvironment>['moduleMocker']>;

/** Storages that are not switched off. */
const storages = new Set<AsyncLocalStorage<unknown>>();

class NotedStorage<T> extends AsyncLocalStorage<T> {
  constructor() {
    super();
    storages.add(this as AsyncLocalStorage<unknown>);
  }
}

// Newer versions of Node do not let it be replaced; the storages then stay switched on, and the tests are slower.
if (Object.getOwnPropertyDescriptor(asyncHooks, 'AsyncLocalStorage')?.writable === true) Object.assign(asyncHooks, { AsyncLocalStorage: NotedStorage });

/**
 * Jest's environment for Node, with two differences that halve the time of a run. There are no fake timers.
 *
 * - The global object is an ordinary one. The usual one asks a proxy at every look-up of a global, which makes loops that use
 *   `Math` or `Number` up to twice as slow as they are in a program.
 * - Jest makes an `AsyncLocalStorage` for each suite and never switches it off. Each of them makes every later promise dearer, and
 *   keeps the whole suite in memory. Here they are switched off at the end of the suite.
 */
export default class PlainEnvironment extends TestEnvironment {
  constructor(...[config, context]: Arguments) {
    super(config, context);
    const usual = this.global;
    this.context = createContext(constants.DONT_CONTEXTIFY);
    const global = runInContext('globalThis', this.context) as Global;
    for (const key of Reflect.ownKeys(usual)) {
      if (!Object.hasOwn(global, key)) Object.defineProperty(global, key, Object.getOwnPropertyDescriptor(usual, key)!);
    }
    // The same classes as those of Node's own modules.
    Object.assign(global, { global, ArrayBuffer, Uint8Array });
    global.Error.stackTraceLimit = usual.Error.stackTraceLimit;
    this.global = global;
    this.moduleMocker = new (this.moduleMocker!.constructor as new (scope: Global) => Mocker)(global);
    this.fakeTimers = null;
    this.fakeTimersModern = null;
  }

  override async teardown(): Promise<void> {
    for (const storage of storages) storage.disable();
    storages.clear();
    await super.teardown();
  }
}
