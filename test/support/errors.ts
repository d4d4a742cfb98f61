/** What a call throws; undefined if it returns. */
export function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The code of the error that a call throws, `no code` for an error without one; undefined if it returns. */
export function codeOf(call: () => unknown): unknown {
  const error = errorOf(call);
  if (error === undefined) return undefined;
  return (error as { code?: unknown }).code ?? 'no code';
}
