import { describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../../src-main/engine/checkpoints/modelFolder.ts';
import { freshLora, targetedModules } from '../../../../src-main/engine/training/loss/trainedLora.ts';
import { generatorFor } from '../../../../src-main/engine/tensor/seeded.ts';
import { buildPart, whatToTrain } from '../../../../src-main/engine/training/loss/parameters.ts';

const golden = `${import.meta.dirname}/../../../golden/fixtures`;
const model = openModelFolder(`${golden}/models/tiny-bk`);
const settings = {
  ...({ method: 'lora', trainTextEncoder: true, seed: 1 } as const),
  lora: { rank: 4, alpha: 6, targets: ['to_q', 'to_v'] },
  textLora: { rank: 2, alpha: 3, targets: ['q_proj', 'v_proj'] },
};

describe('targets', () => {
  it('are every module of the name, Linear or Conv, and no other', () => {
    const modules = [...targetedModules('unet', buildPart(model, 'unet'), ['to_out.0', 'conv1']).keys()];
    expect(modules.every((name) => /\.(to_out\.0|conv1)$/.test(name))).toBe(true);
    expect(modules.some((name) => name.endsWith('conv1'))).toBe(true);
    expect(modules).toContain('down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_out.0');
  });

  it('that nothing is called are refused, also behind ones that hit', () => {
    const targets = ['to_q', 'q_proj'];
    expect(() => targetedModules('unet', buildPart(model, 'unet'), targets)).toThrow(
      expect.objectContaining({
        code: 'lora.target',
        message: expect.stringContaining('"q_proj"') as string,
      }),
    );
    expect(() =>
      targetedModules('text_encoder', buildPart(model, 'text_encoder'), ['token_embedding']),
    ).toThrow(expect.objectContaining({ code: 'lora.target' }));
  });
});

describe('the start', () => {
  it('has A uniform within 1/√fan-in and B zero', () => {
    const modules = new Map([
      ['linear', [40, 64]],
      ['conv', [32, 16, 3, 3]],
    ]);
    const { values } = freshLora('unet', modules, { rank: 100, alpha: 1 }, generatorFor(1, 'test'));
    for (const [module, fanIn, shapes] of [
      ['linear', 64, { A: [100, 64], B: [40, 100] }],
      ['conv', 144, { A: [100, 16, 3, 3], B: [32, 100, 1, 1] }],
    ] as const) {
      const [A, B] = (['A', 'B'] as const).map(
        (which) =>
          [...values].find(
            ([name]) => name.startsWith(`unet.${module}.`) && name.includes(`lora_${which}`),
          )?.[1],
      );
      expect(A?.shape).toEqual(shapes.A);
      expect(B?.shape).toEqual(shapes.B);
      expect(B?.data.every((value) => value === 0)).toBe(true);
      const data = A?.data ?? new Float32Array();
      const bound = 1 / Math.sqrt(fanIn);
      expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(bound);
      const variance = data.reduce((sum, value) => sum + value * value, 0) / data.length;
      expect(variance / (bound * bound)).toBeCloseTo(1 / 3, 1);
    }
  });

  it('is another for another seed, and the same for the same', () => {
    const first = (seed: number) => {
      const { names, initial } = whatToTrain(model, { ...settings, seed });
      return initial(names[0] as string).data;
    };
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  it('from a LoRA that lacks a target, or of another model, is refused by name', () => {
    const initLora = `${golden}/training/lora-epsilon-prior/start`;
    const wider = { ...settings, initLora, lora: { ...settings.lora, targets: ['to_q', 'to_k'] } };
    expect(() => whatToTrain(model, wider)).toThrow(
      expect.objectContaining({
        code: 'lora.startUnfit',
        message: expect.stringContaining('to_k"') as string,
      }),
    );
    const other = openModelFolder(`${golden}/models/tiny-sd1`);
    expect(() => whatToTrain(other, { ...settings, initLora })).toThrow(
      expect.objectContaining({ code: 'lora.otherModel' }),
    );
  });

  it('uses all of the file, or names what it would leave out and how to train it', () => {
    const initLora = `${golden}/training/lora-epsilon-prior/start`;
    const refused = (change: object): unknown => {
      try {
        return whatToTrain(model, { ...settings, initLora, ...change });
      } catch (error) {
        return error;
      }
    };
    expect(refused({ trainTextEncoder: false })).toMatchObject({
      code: 'lora.startLeft',
      message: expect.stringMatching(
        /text_encoder\.text_model\.\S+.* more.*--targets to_q,to_v --text-targets q_proj,v_proj\./,
      ) as string,
    });
    expect(refused({ lora: { ...settings.lora, targets: ['to_q'] } })).toMatchObject({
      code: 'lora.startLeft',
      message: expect.stringMatching(/unet\.\S+to_v/) as string,
    });
  });

  it.each(['LoHa', 'LoKr', 'DoRA'])('of a run that trains LoRA is no %s', (method) => {
    const initLora = `${golden}/checkpoints/lora-kinds/${method.toLowerCase()}`;
    const sd1 = openModelFolder(`${golden}/models/tiny-sd1`);
    expect(() => whatToTrain(sd1, { ...settings, initLora })).toThrow(
      expect.objectContaining({
        code: 'lora.startMethod',
        message: expect.stringContaining(`by ${method}`) as string,
      }),
    );
  });

  it('of a LoRA folder keeps its rank and scale', () => {
    const initLora = `${golden}/training/lora-epsilon-prior/start`;
    const { adapters } = whatToTrain(model, { ...settings, initLora });
    const [one] = [...(adapters?.unet?.values() ?? [])][0] ?? [];
    expect(one).toMatchObject({ rank: 16, scale: 27 / 16 });
  });
});
