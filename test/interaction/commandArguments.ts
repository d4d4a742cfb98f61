import type { Argument, Directive } from '../support/datadriven.js';
import type { InteractionEnv } from './interactionEnv.js';
import type { ScriptNode } from './scriptNode.js';

/** A script that asks for what does not exist. The run ends here; it is never an expected output. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** The arguments without values, which are what a command works on. */
export function words(directive: Directive): string[] {
  return directive.args.filter((arg) => arg.values.length === 0).map((arg) => arg.key);
}

/** The word at a position, counted from 0. */
export function word(directive: Directive, position: number): string {
  const found = words(directive)[position];
  if (found === undefined) throw new ScriptError(`"${directive.raw}" lacks an argument`);
  return found;
}

/** The node that the word at a position names. */
export function nodeAt(env: InteractionEnv, directive: Directive, position: number): ScriptNode {
  return env.node(toInteger(word(directive, position)));
}

/** All nodes that the command names, in its order. */
export function nodesOf(env: InteractionEnv, directive: Directive): ScriptNode[] {
  return words(directive).map((id) => env.node(toInteger(id)));
}

/** The only value of `key=value`. */
export function valueOf(arg: Argument): string {
  const [value, ...others] = arg.values;
  if (value === undefined || others.length > 0) throw new ScriptError(`${arg.key} needs one value`);
  return value;
}

/** A non-negative integer in decimal. */
export function toInteger(text: string): number {
  if (!/^\d+$/.test(text)) throw new ScriptError(`"${text}" is not a number`);
  return Number(text);
}

/** A number of bytes, where 0 stands for no limit. */
export function toLimit(text: string): number {
  return toInteger(text) || Infinity;
}

/** `true` or `false`. */
export function toBoolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new ScriptError(`"${text}" is neither true nor false`);
  return text === 'true';
}

/** One of a table of names. */
export function toChoice<T>(text: string, choices: Readonly<Record<string, T>>): T {
  if (!Object.hasOwn(choices, text)) {
    throw new ScriptError(`"${text}" is none of ${Object.keys(choices).join(', ')}`);
  }
  return choices[text]!;
}
