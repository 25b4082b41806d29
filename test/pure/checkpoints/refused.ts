import { expect } from 'vitest';
import { LikenessError } from '../../../src-shared/messages/index.ts';

/** What `read` throws, soon and without taking memory that a broken file's size doesn't justify. */
export function outcome(read: () => void): unknown {
  const start = performance.now();
  const before = process.memoryUsage();
  try {
    read();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    const { rss, arrayBuffers } = process.memoryUsage();
    expect(performance.now() - start).toBeLessThan(60_000);
    expect(rss - before.rss).toBeLessThan(400e6);
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(64e6);
  }
}

/** It ends so in one sentence for people. */
export function expectRefused(read: () => void): void {
  const error = outcome(read);
  expect(error).toBeInstanceOf(LikenessError);
  const { message } = error as LikenessError;
  expect(message).toMatch(/^[^\n]{20,600}$/);
  expect(message).not.toMatch(/undefined|\[object|NaN\b(?! or)/);
}

/** Nested lists, as JSON. */
export const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
