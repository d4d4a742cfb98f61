import { readFileSync } from 'node:fs';

/**
 * Most memory that this process ever had at once (the peak of its resident set), in bytes.
 *
 * Linux keeps `maxRSS` across the start of a program: a small process that a big one starts has the big one's figure
 * (`setmax_mm_hiwater_rss` in its `exec_mmap`). `VmHWM` belongs to the program's own memory.
 */
export function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error('/proc/self/status has no VmHWM');
  return Number(kibibytes) * 1024;
}
