/** A package to download: a Python wheel, which is a zip; only libraries are taken from it. */
export interface CudaPackage {
  readonly name: string;
  /** Below the address of all packages. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  /** The libraries that are taken, by their names in the zip. */
  readonly libraries: readonly string[];
}

/** The version of ONNX Runtime that the provider belongs to: it loads into no other. */
export const cudaRuntimeVersion = '1.30.0';

/**
 * ONNX Runtime's own CUDA provider, and NVIDIA's libraries that it needs (CUDA 13, cuDNN 9), as its package for Python names them; FFT,
 * which no network here computes, is left out. Sizes and hashes are those that the index of packages states.
 */
export const cudaPackages: readonly CudaPackage[] = [
  {
    name: 'onnxruntime-gpu 1.30.0',
    path: '9e/80/d96143329dbe925d434b016c890a5caa785fac8e14a1570e5d6818b63545/onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl',
    size: 246_685_715,
    sha256: '6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1',
    libraries: [
      'onnxruntime/capi/libonnxruntime_providers_cuda.so',
      'onnxruntime/capi/libonnxruntime_providers_shared.so',
    ],
  },
  {
    name: 'nvidia-cuda-runtime 13.5.37',
    path: '0b/7c/14b8f5518f8951e9dca57ea80f44f8ea8bcc8671812e6cc38009f3205e57/nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    size: 2_504_024,
    sha256: 'df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d',
    libraries: ['nvidia/cu13/lib/libcudart.so.13'],
  },
  {
    name: 'nvidia-cublas 13.10.0.20',
    path: 'b4/12/16628161ed8c109c8c73b38167df50cbc630a8a6e6548e2534d461526c3c/nvidia_cublas-13.10.0.20-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.whl',
    size: 444_289_903,
    sha256: 'dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84',
    libraries: ['nvidia/cu13/lib/libcublas.so.13', 'nvidia/cu13/lib/libcublasLt.so.13'],
  },
  {
    name: 'nvidia-curand 10.4.5.25',
    path: '12/63/636e5dc9afb2959bfc0042a357d5567358df829b66c96d9fc36d77dc0596/nvidia_curand-10.4.5.25-py3-none-manylinux_2_27_x86_64.whl',
    size: 77_113_015,
    sha256: '22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529',
    libraries: ['nvidia/cu13/lib/libcurand.so.10'],
  },
  {
    name: 'nvidia-cuda-nvrtc 13.5.37',
    path: 'a9/54/db4e7f650746265f61c05cf1f8f556dd8c6739b58c823fbc9a7d6fda3247/nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    size: 58_185_930,
    sha256: '86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc',
    libraries: ['nvidia/cu13/lib/libnvrtc.so.13', 'nvidia/cu13/lib/libnvrtc-builtins.so.13.5'],
  },
  {
    name: 'nvidia-cudnn-cu13 9.28.1.4',
    path: 'ef/6f/94535c450d44a68ef0b43d7a5e54c0e5ecda2ca3db7daec5d54c8d94e0d8/nvidia_cudnn_cu13-9.28.1.4-py3-none-manylinux_2_27_x86_64.whl',
    size: 516_817_937,
    sha256: 'a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec',
    libraries: [
      '',
      '_adv',
      '_cnn',
      '_engines_precompiled',
      '_engines_runtime_compiled',
      '_engines_tensor_ir',
      '_ext',
      '_graph',
      '_heuristic',
      '_ops',
    ].map((part) => `nvidia/cudnn/lib/libcudnn${part}.so.9`),
  },
];
