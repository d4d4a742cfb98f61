import { constants, createContext, runInContext } from 'node:vm';

import { TestEnvironment } from 'jest-environment-node';

type Arguments = ConstructorParameters<typeof TestEnvironment>;
type Global = InstanceType<typeof TestEnvironment>['global'];
type Mocker = NonNullable<InstanceType<typeof TestEnvironment>['moduleMocker']>;

/**
 * Jest's environment for Node with an ordinary global object. The usual one asks a proxy at every look-up of a global,
 * which makes loops that use `Math` or `Number` up to twice as slow as they are in a program. There are no fake timers.
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
}
