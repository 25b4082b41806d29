import { existsSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { evaluationSchema, type Evaluation } from '../../src-shared/domain/evaluation.ts';
import { problem } from '../../src-shared/messages/index.ts';
import type { TaskOf } from '../features/tasks.ts';
import { withInput, type JobHandling } from '../jobs/kind.ts';
import type { StoredModel } from '../storage/models.ts';
import type { Handlers, StudioContext, Surroundings } from './context.ts';
import { presentModel } from './presentModel.ts';

const evaluateInput = z.object({
  asked: evaluationSchema,
  /** Where the protocol's runs and pictures go, seen from the library. */
  out: z.string().nullable(),
  notes: z.array(z.string()).default([]),
  /** It was written down already. */
  kept: z.boolean().default(false),
});

export function evaluationHandlers({ library, queue }: StudioContext): Handlers<'evaluations'> {
  const { evaluations, folder, models, subjects, trash } = library;
  const titleOf = (asked: Evaluation): string => {
    switch (asked.kind) {
      case 'set':
        return `Measuring ${path.basename(asked.images)}`;
      case 'subject':
        return `Comparing ${path.basename(asked.images)} with ${subjects.get(asked.subjectId).name}`;
      case 'dreambooth':
        return `DreamBooth’s protocol on ${path.basename(asked.subjects)}`;
    }
  };
  return {
    'evaluations.list': () => evaluations.list(),
    'evaluations.start': (asked) => {
      for (const file of filesOf(asked)) if (!existsSync(file)) throw problem('file.missing', { file });
      if (asked.kind === 'dreambooth' && asked.modelId !== null) presentModel(models.get(asked.modelId));
      const title = titleOf(asked);
      const out = asked.kind === 'dreambooth' ? folder.claim('evaluations', title) : null;
      const input: z.input<typeof evaluateInput> = { asked, out };
      return { jobId: queue.add({ kind: 'evaluate', title, input }).id };
    },
    'evaluations.remove': ({ id }) => {
      evaluations.get(id);
      return { undo: trash.remove('evaluations', [id]) };
    },
  };
}

function filesOf(asked: Evaluation): string[] {
  const files =
    asked.kind === 'dreambooth'
      ? [asked.subjects]
      : [asked.images, asked.prompts, ...(asked.kind === 'set' ? [asked.reference, asked.inception] : [])];
  return files.filter((file) => file !== null);
}

/** An evaluation as a job. The protocol continues where it was, a shorter one starts anew. */
export function evaluateJob({ library, shipped, emit }: Surroundings): JobHandling<'evaluate'> {
  const { evaluations, folder, jobs, models, settings, subjects } = library;
  const modelOf = (asked: Evaluation): StoredModel | undefined =>
    asked.kind === 'dreambooth' && asked.modelId !== null ? models.get(asked.modelId) : undefined;

  const taskOf = ({ asked, out }: z.infer<typeof evaluateInput>): TaskOf<'evaluate'> => {
    const { clipFolder, dinoFolder, provider } = settings.get();
    const { mobileNet } = shipped.scorers;
    const clip = clipFolder === null ? {} : { clip: clipFolder };
    const judges = { mobileNet, provider, ...clip, ...(dinoFolder !== null && { dino: dinoFolder }) };
    if (asked.kind === 'dreambooth') {
      const model = modelOf(asked);
      return {
        dreambooth: {
          ...{
            subjects: asked.subjects,
            out: folder.at(out ?? ''),
            count: asked.count,
            drawSteps: asked.drawSteps,
          },
          ...{ fallbackModel: shipped.model, ...judges },
          settings: {
            provider,
            ...(model && { model: presentModel(model).path }),
            ...(asked.steps !== null && { steps: asked.steps }),
          },
        },
        version: shipped.version,
      };
    }
    const prompts = asked.prompts === null ? {} : { prompts: asked.prompts };
    if (asked.kind === 'subject') {
      const photos = folder.photos(subjects.get(asked.subjectId));
      return { subject: { photos, images: asked.images, ...judges, ...prompts } };
    }
    return {
      set: {
        ...{ images: asked.images, resize: 'clean', mobileNet, provider, ...clip, ...prompts },
        ...(asked.reference !== null && { reference: asked.reference }),
        ...(asked.inception !== null && { inception: asked.inception }),
      },
    };
  };

  return withInput(evaluateInput, {
    models: ({ input }) => [modelOf(input.asked) ?? []].flat(),
    task: ({ input }) => taskOf(input),
    kept: ({ input: { asked } }) =>
      asked.kind === 'dreambooth' ? 'The runs and pictures so far are kept' : undefined,
    event: (job, event) => {
      if (event.type !== 'note' || job.input.asked.kind === 'dreambooth') return;
      const notes = [...new Set([...job.input.notes, event.message])];
      jobs.change(job.id, { input: { ...job.input, notes } });
    },
    done: ({ id, title }, figures) => {
      // Called twice if the job's end could not be written the first time.
      const input = evaluateInput.parse(jobs.get(id).input);
      if (input.kept) return;
      const report = library.atomically(() => {
        jobs.change(id, { input: { ...input, kept: true } });
        const { out, notes } = input;
        return evaluations.add({ name: title, path: out, notes, figures, measuredAt: Date.now() });
      });
      emit('evaluations.changed', report);
    },
  });
}
