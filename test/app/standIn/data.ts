import type { Preset } from '../../../src-shared/contract/training.ts';
import type { Exported } from '../../../src-shared/domain/exported.ts';
import type { Image } from '../../../src-shared/domain/image.ts';
import type { Job } from '../../../src-shared/domain/job.ts';
import type { Model } from '../../../src-shared/domain/model.ts';
import type { Photo } from '../../../src-shared/domain/photo.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import type { Checkpoint, LossCurve, Run } from '../../../src-shared/domain/run.ts';
import type { CheckpointScore, ScoreReport } from '../../../src-shared/domain/score.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { TrainingSettings } from '../../../src-shared/domain/trainingSettings.ts';

/** A library that has been used for a while. Times are fixed, so that screenshots are the same every time. */
const noon = new Date(2026, 10, 20, 12).getTime();
const minute = 60_000;
const gigabyte = 1e9;

export const subjects: Subject[] = ['Teddy', 'Rex', 'Blue mug'].map((name, i) => ({
  ...{ id: i + 1, projectId: i === 2 ? 2 : 1, name, token: 'sks' },
  classNoun: ['teddy bear', 'dog', ''][i] ?? '',
  ...{ createdAt: noon - i * 1000 * minute, folder: `subjects/${name}`, watched: null },
  ...{ photos: [5, 4, 0][i] ?? 0, runs: [3, 0, 0][i] ?? 0, images: [128, 0, 0][i] ?? 0 },
  ...{ cover: [1, 3, null][i] ?? null, sample: i === 0 },
}));

export const projects = [
  { id: 1, name: 'Favourites', createdAt: noon, subjects: 2 },
  { id: 2, name: 'Kitchen', createdAt: noon, subjects: 1 },
];

export const photos: Photo[] = Array.from({ length: 5 }, (_, i) => ({
  ...{ id: i + 1, subjectId: 1, name: `teddy-0${i}.jpg`, width: 512, height: 512, bytes: 28_000 },
  ...{ hash: String(i).repeat(64), addedAt: noon, hasMask: false, missing: false },
  crop: i === 1 ? { x: 60, y: 90, side: 380 } : null,
  marks:
    i === 3
      ? [
          {
            code: 'blurred',
            level: 'warn' as const,
            message: 'It is blurred: take a sharper one, or remove it if you have four others.',
          },
        ]
      : [],
}));

export const settings: TrainingSettings = {
  ...{ classNoun: 'teddy bear', token: 'sks', method: 'lora', steps: 400, learningRate: 1e-4, batch: 1 },
  ...{ accumulate: 1, schedule: 'constant', warmup: 0, trainTextEncoder: true },
  lora: { rank: 16, alpha: 27, targets: ['to_q', 'to_v'] },
  textLora: { rank: 16, alpha: 17, targets: ['q_proj', 'v_proj'] },
  prior: { weight: 1, classImages: 200 },
  ...{
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    maxGradientNorm: 1,
    seed: 1234,
    size: 128,
  },
  ...{ crop: 'center', flip: false, checkpointEvery: 100, sampleEvery: 100, samplePrompt: null },
};

export const presets: Preset[] = (['quick', 'balanced', 'thorough'] as const).map((name, i) => ({
  name,
  settings: { ...settings, steps: [150, 400, 1200][i] ?? 400 },
  ...{ seconds: [95, 260, 780][i] ?? null, memory: 1.4 * gigabyte, fits: true, measured: true },
  reductions: name === 'thorough' ? ['pictures of 96 pixels instead of 128'] : [],
}));

export const runs: Run[] = (['running', 'done', 'cancelled'] as const).map((state, i) => ({
  ...{
    id: i + 1,
    subjectId: 1,
    name: ['Balanced 2', 'Balanced', 'Quick'][i] ?? '',
    folder: `runs/${i}`,
    state,
  },
  ...{ modelId: null, modelName: 'Likeness mini' },
  settings: { ...settings, learningRate: [2e-4, 1e-4, 1e-4][i] ?? 1e-4, steps: [400, 400, 150][i] ?? 400 },
  ...{ step: [260, 400, 80][i] ?? 0, loss: 0.0812, secondsPerStep: 0.64, createdAt: noon - i * 90 * minute },
  ...{ finishedAt: i === 0 ? null : noon, jobId: i === 0 ? 1 : null, error: null },
  ...{ checkpoints: [2, 4, 0][i] ?? 0, pickedStep: i === 1 ? 300 : null },
}));

const score = (k: number): CheckpointScore => ({
  subject: { value: 0.55 + 0.09 * k, low: 0.51 + 0.09 * k, high: 0.59 + 0.09 * k },
  prompt: { value: 0.74 - 0.03 * k, low: 0.7 - 0.03 * k, high: 0.78 - 0.03 * k },
  variety: { value: 0.6 - 0.05 * k, low: null, high: null },
  leak: { value: 0.04 + 0.02 * k, low: null, high: null },
  memorized: k > 3,
});

export const checkpointsOf = ({ id, checkpoints }: Run): Checkpoint[] =>
  Array.from({ length: checkpoints }, (_, k) => ({
    ...{ id: id * 10 + k, runId: id, step: (k + 1) * 100, createdAt: noon, sample: true },
    score: id === 2 ? score(k) : null,
  }));

export const curveOf = ({ id, step }: Run): LossCurve => ({
  steps: Array.from({ length: step }, (_, i) => i + 1),
  losses: Array.from(
    { length: step },
    (_, i) =>
      0.07 +
      0.09 * Math.exp(-i / (60 + 40 * id)) +
      0.03 * Math.abs(Math.sin(i * 12.9 + id) * Math.cos(i * 7.3)),
  ),
});

export const report: ScoreReport = {
  checkpoints: [0, 1, 2, 3].map((k) => ({ step: (k + 1) * 100, score: score(k) })),
  pick: {
    step: 300,
    reason: 'It looks more like the photos than step 200 and follows prompts better than step 400.',
  },
  warnings: ['Step 400: every teddy bear begins to look like yours. An earlier checkpoint keeps them apart.'],
  features: { subject: 'MobileNetV2', prompt: 'the model’s own text encoder' },
};

const idea = ['on a beach at sunset', 'as a watercolour', 'in the snow', 'on a wooden table', 'in a library'];

export const imageOf = (id: number): Image => ({
  ...{
    id,
    name: `${String(id).padStart(5, '0')}.png`,
    width: 128,
    height: 128,
    createdAt: noon - id * minute,
  },
  ...{ prompt: `a photo of sks teddy bear ${idea[id % idea.length] ?? ''}`, seed: 1000 + id },
  ...{ subjectId: 1, runId: 2, step: 300, favourite: id % 7 === 0, score: 0.6 + (id % 10) / 40 },
});

export const recipeOf = ({ prompt, seed }: Image): Recipe => ({
  ...{ version: '0.1.0', model: { name: 'Likeness mini', hash: '3f2a9c1d55aa' }, prompt, seed },
  loras: [{ path: 'runs/Balanced/checkpoint-300', hash: '77aa01', weight: 1 }],
  ...{ negative: 'blurry', steps: 25, guidance: 7.5, scheduler: 'dpm++2m', width: 128, height: 128 },
});

const job = (id: number, over: Partial<Job>): Job => ({
  ...{ id, kind: 'generate', title: 'Pictures', state: 'queued', position: id, progress: null },
  ...{
    createdAt: noon,
    startedAt: null,
    finishedAt: null,
    error: null,
    warnings: [],
    subjectId: 1,
    runId: null,
  },
  ...over,
});

export const jobs: Job[] = [
  job(1, {
    ...{ kind: 'train', title: 'Training Teddy', state: 'running', runId: 1 },
    progress: { done: 260, total: 400, label: 'steps', eta: 92, memory: 1.3 * gigabyte },
  }),
  job(2, { title: '8 pictures: sks teddy bear in the snow' }),
  job(3, { kind: 'export', title: 'Export for ComfyUI' }),
  job(4, { kind: 'score', title: 'Scores of Balanced', state: 'done', finishedAt: noon }),
  job(5, {
    ...{ kind: 'import', title: 'Import sd15.safetensors', state: 'failed', finishedAt: noon },
    error: {
      code: 'file.missing',
      message: 'sd15.safetensors is not there; check the path, or connect the drive it is on.',
    },
  }),
];

export const models: Model[] = [
  {
    id: 1,
    name: 'Likeness mini',
    source: 'shipped',
    path: 'models/likeness-mini',
    kind: 'folder',
    width: 128,
  },
  {
    id: 2,
    name: 'Stable Diffusion 1.5',
    source: 'linked',
    path: 'D:/models/sd15.safetensors',
    kind: 'single-file',
    width: 512,
  },
].map((model, i) => ({
  ...(model as Pick<Model, 'id' | 'name' | 'source' | 'path' | 'kind' | 'width'>),
  ...{
    family: 'SD 1.x',
    hash: '3f'.repeat(32),
    parameters: [3.2e7, 1.07e9][i] ?? 0,
    bytes: [6.5e7, 2.1e9][i] ?? 0,
  },
  ...{ height: model.width, addedAt: noon, available: true, guidance: [4, 7.5][i] ?? 7.5, problems: [] },
}));

export const catalogue = [
  {
    ...{ repository: 'nota-ai/bk-sdm-tiny', name: 'BK-SDM Tiny', licence: 'CreativeML Open RAIL-M' },
    ...{ about: 'A third of Stable Diffusion’s size: trains on a laptop.', bytes: 1.2e9, installed: false },
  },
];

export const exported: Exported[] = [
  {
    ...{ id: 1, runId: 2, step: 300, format: 'kohya', path: 'exports/Teddy Balanced 300.safetensors' },
    ...{ bytes: 3.2e6, createdAt: noon, tensors: 128, maxError: 0.0008 },
  },
];
