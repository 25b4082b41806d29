import { existsSync } from 'node:fs';
import { lavapipeDriver } from '../installVulkan.mjs';

/** A graphics device to test on: `env` makes a child process see it alone. */
export interface VulkanDriver {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** Why it is not there. */
  readonly missing?: string;
}

const chromium = '/usr/lib/chromium';
const swiftShader = `${chromium}/vk_swiftshader_icd.json`;
/** Chromium's own Vulkan loader does where the system has none. */
const loader: NodeJS.ProcessEnv = existsSync(`${chromium}/libvulkan.so.1`)
  ? { LD_LIBRARY_PATH: chromium }
  : {};

/** Most of lavapipe's time goes into LLVM's compiling of kernels that run once or twice: half of it is for making them fast. */
const quickly: NodeJS.ProcessEnv = { GALLIVM_PERF: 'nopt' };

const driver = (name: string, file: string, remedy: string): VulkanDriver => ({
  name,
  env: { VK_ICD_FILENAMES: file, VK_DRIVER_FILES: file, ...loader, ...(name === 'lavapipe' && quickly) },
  ...(!existsSync(file) && { missing: `${name} is not installed: ${remedy}` }),
});

/**
 * Drivers that need no graphics card; one that the user names is taken in their place. lavapipe has the subgroup features of
 * real devices and shows faults that SwiftShader hides.
 */
export const vulkanDrivers: readonly VulkanDriver[] =
  process.env['VK_ICD_FILENAMES'] || process.env['VK_DRIVER_FILES']
    ? [{ name: 'the driver that the environment names', env: {} }]
    : [
        driver('SwiftShader', swiftShader, 'on Debian, apt-get install chromium brings it'),
        driver('lavapipe', lavapipeDriver, 'on Debian, node test/check.mjs fetches it'),
      ];
