/**
 * Where a node writes what it does, in sentences for people. Programs watch the state, the result
 * codes and the trace instead. `console` fits, with `debugEnabled` added.
 */
export interface Logger {
  /** Whether `debug` lines are wanted. Read before each one, because building an unused text costs more than the test. */
  readonly debugEnabled: boolean;
  /** Every message and decision. */
  debug(message: string): void;
  /** Changes of role, term and configuration. */
  info(message: string): void;
  /** Something is not as it should be and was ignored or refused. */
  warning(message: string): void;
  /** The node cannot do what it was asked to. */
  error(message: string): void;
}

const nothing = (): void => {};

/** The default: says nothing. */
export const silentLogger: Logger = {
  debugEnabled: false,
  debug: nothing,
  info: nothing,
  warning: nothing,
  error: nothing,
};
