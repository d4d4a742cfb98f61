import { describe, expect, test } from '@jest/globals';
import { Violation } from '../../../src/sim/checker.js';
import { allCheckers, type CheckerOptions } from '../../../src/sim/checkers/index.js';
import { steadyCluster, type FakeCluster } from './fakeCluster.js';

/** What happens after a steady beginning, and what the checkers say to it. */
export interface Story {
  /** The invariant that it breaks; null if it is all right. */
  readonly breaks: string | null;
  /** What happens, and why that is right or wrong. */
  readonly why: string;
  readonly happens: (cluster: FakeCluster) => void;
  /** Demands beyond the usual ones. */
  readonly options?: CheckerOptions;
}

/** The invariant that a story breaks, as all checkers together see it; null if none. */
function brokenBy(story: Story): string | null {
  try {
    story.happens(steadyCluster(allCheckers({ serves: false, ...story.options })));
    return null;
  } catch (error) {
    if (error instanceof Violation) return `${error.invariant} (${error.message})`;
    throw error;
  }
}

/** One test for each story, and that every invariant has one that keeps it and one that breaks it. */
export function tellStories(title: string, invariants: readonly string[], stories: readonly Story[]): void {
  describe(title, () => {
    test.each(stories)('$breaks: $why', (story) => {
      const broken = brokenBy(story);
      if (story.breaks === null) expect(broken).toBeNull();
      else expect(broken).toMatch(new RegExp(`^${story.breaks} `));
    });

    test('every invariant is broken by some story, and there is one that keeps all', () => {
      const broken = new Set(stories.map(({ breaks }) => breaks));
      expect(invariants.filter((invariant) => !broken.has(invariant))).toEqual([]);
      expect(broken.has(null)).toBe(true);
    });
  });
}
