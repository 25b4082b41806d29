import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // ONNX Runtime spreads one graph over every core, so files side by side would only take turns; two keep the pure ones moving.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: 'test/buildCommand.ts',
  },
});
