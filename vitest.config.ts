import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The renderer's `.svelte.ts` files hold logic that is tested without a browser; the plugin compiles their runes.
  plugins: [svelte({ configFile: 'src-renderer/svelte.config.js' })],
  test: {
    include: ['test/**/*.test.ts'],
    // ONNX Runtime spreads one graph over every core, so files side by side would only take turns; two keep the pure ones moving.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: 'test/buildCommand.ts',
  },
});
