import { pictures } from '../../pictureRequest.ts';
import { Client, newLibrary } from '../served.ts';
import { counting, StudioProcess } from '../studioProcess.ts';

/** The studio's story over the contract, with the real workers: how long the serving process was blocked in each part of it. */
export async function measureStory(): Promise<Record<string, number[]>> {
  const library = newLibrary();
  const studio = await StudioProcess.start(library, counting(library));
  const client = await Client.open(studio.url);
  const parts: Record<string, number[]> = { start: await studio.blocks() };
  const part = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const made = await work();
    parts[name] = await studio.blocks();
    return made;
  };
  try {
    const subject = await part('photos', async () => {
      const sample = await client.ask('subjects.createSample', {});
      await client.ask('photos.list', { subjectId: sample.id });
      return sample;
    });
    await part('dry run', async () => {
      const tried = await client.ask('training.measure', { subjectId: subject.id, modelId: null });
      await client.ended(tried.jobId);
    });
    const run = await part('training', async () => {
      const changes = { steps: 4, checkpointEvery: 2, sampleEvery: 4, prior: null };
      const started = await client.ask('training.start', {
        ...{ subjectId: subject.id, modelId: null, preset: 'quick', changes },
      });
      await client.ended(started.jobId ?? 0);
      return started;
    });
    await part('pictures', async () => {
      const { jobId } = await client.ask(
        'generation.start',
        pictures({
          prompts: [`a photo of sks ${subject.classNoun} {in the snow|on a beach}`],
          mixes: [[{ runId: run.id, step: null, weight: 1 }]],
          ...{ seed: 11, count: 2 },
        }),
      );
      await client.ended(jobId);
    });
    await part('scores', async () => {
      const { jobId } = await client.ask('scores.start', { runId: run.id });
      await client.ended(jobId);
    });
    await part('export', async () => {
      const { jobId } = await client.ask('exports.start', {
        ...{ runId: run.id, step: 2, format: 'kohya', dtype: null },
      });
      await client.ended(jobId);
    });
    return parts;
  } finally {
    client.close();
    await studio.stop();
  }
}
