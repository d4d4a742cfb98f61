const context = 3;

/**
 * Two texts line by line: `-` marks a line that was expected and did not come, `+` one that came
 * and was not expected. Of longer stretches without a difference only the three lines next to one
 * are shown.
 */
export function lineDiff(expected: string, actual: string): string {
  const lines = mergeLines(toLines(expected), toLines(actual));
  const shown = new Set<number>();
  lines.forEach((line, i) => {
    if (line.startsWith('  ')) return;
    for (let near = i - context; near <= i + context; near++) shown.add(near);
  });
  const picture: string[] = [];
  lines.forEach((line, i) => {
    if (shown.has(i)) picture.push(line);
    else if (i === 0 || shown.has(i - 1)) picture.push('  …');
  });
  return picture.join('\n');
}

function toLines(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

/** Both texts in one, each line marked; as many lines as possible are common. */
function mergeLines(left: readonly string[], right: readonly string[]): string[] {
  const common = commonLengths(left, right);
  const width = right.length + 1;
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push(`  ${left[i++]!}`);
      j++;
    } else if (i < left.length && (j === right.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      lines.push(`- ${left[i++]!}`);
    } else {
      lines.push(`+ ${right[j++]!}`);
    }
  }
  return lines;
}

/** How many lines the rests of both texts from line i and line j on have in common, at i * (right.length + 1) + j. */
function commonLengths(left: readonly string[], right: readonly string[]): Uint32Array {
  const width = right.length + 1;
  const common = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const at = i * width + j;
      common[at] = left[i] === right[j] ? common[at + width + 1]! + 1 : Math.max(common[at + width]!, common[at + 1]!);
    }
  }
  return common;
}
