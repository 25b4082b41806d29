import { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';

// From 1.29 on ONNX Runtime writes a device id to the home folder and uploads usage unless told not to before its first
// session. Nothing leaves this machine.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

// Errors are thrown; its own log would put lines about its sources before our message.
env.logLevel = 'fatal';

/** Of the package that computes. */
export const runtimeVersion = env.versions.node ?? env.versions.common;

export { InferenceSession, listSupportedBackends, Tensor };
