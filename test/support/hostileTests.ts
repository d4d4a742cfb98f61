import { expect, test } from '@jest/globals';
import { StepResult } from '../../src/core/raft/stepResult.js';
import { attackGroup, wallReasons, type AttackReport } from './hostileAttack.js';
import { announceSeed, seededRandom } from './seededRandom.js';

const messagesPerGroup = 500;

/** The random test of hostile messages, with so many of them. Each group has a seed of its own: `SEED=` with `RUNS=1` repeats one. */
export function testHostileMessages(messages: number, timeout: number): void {
  const groups = Number(process.env['RUNS'] ?? messages / messagesPerGroup);

  test(`D9, D11, S1 to S19, A26: of ${messages} messages none makes step throw, refusals change nothing, and the rest of the group goes on`, () => {
    const seed = announceSeed('hostileMessages');
    const report: AttackReport = { messages: 0, results: new Map(), roles: new Set() };
    const startedAt = performance.now();
    for (let i = 0; i < groups; i++) {
      try {
        attackGroup(seededRandom(seed + i), messagesPerGroup, report);
      } catch (error) {
        throw new Error(`SEED=${seed + i} RUNS=1`, { cause: error });
      }
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const { results, roles } = report;
    const accepted = results.get(StepResult.Ok) ?? 0;
    console.log(`${report.messages} hostile messages at ${groups} groups in ${seconds.toFixed(1)} s: ${accepted} accepted, ${report.messages - accepted} refused or dropped, 0 violations`);
    if (groups < 100) return;

    // The messages were not all stopped at the first gate.
    expect(roles.size).toBe(4);
    expect(accepted).toBeGreaterThan(1000);
    for (const reason of Object.values(StepResult)) {
      if (wallReasons.has(reason)) expect(results.get(reason) ?? `no message was refused as ${reason}`).toBeGreaterThan(0);
    }
  }, timeout);
}
