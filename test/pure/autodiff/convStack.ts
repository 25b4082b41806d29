import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import * as g from '../../../src-main/engine/graph/build.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';

const same = { stride: [1, 1], padding: [1, 1, 1, 1] } as const;

/**
 * A stack of residual blocks, norm → swish → conv twice, with the gradients of all weights: what recomputation is for.
 * `ends` are the blocks' outputs.
 */
export function convStack({ blocks = 3, channels = 8, size = 8, batch = 2 } = {}) {
  const weights: Value[] = [];
  const weight = (...shape: number[]): Value => {
    const made = g.parameter(`w${weights.length}`, shape);
    weights.push(made);
    return made;
  };
  const unit = (x: Value): Value =>
    g.conv2d(
      g.silu(g.groupNorm(x, weight(channels), weight(channels), 4, 1e-5)),
      weight(channels, channels, 3, 3),
      weight(channels),
      same,
    );
  const ends = [g.conv2d(g.input('x', [batch, 3, size, size]), weight(channels, 3, 3, 3), undefined, same)];
  for (let block = 0; block < blocks; block++) {
    const x = ends.at(-1) as Value;
    ends.push(g.add(x, unit(unit(x))));
  }
  const loss = g.meanSquaredError(ends.at(-1) as Value, g.input('target', [batch, channels, size, size]));
  const gradients = Object.fromEntries(backward(loss, weights).map((value, i) => [`g${i}`, value]));
  const outputs: Record<string, Value> = { loss, ...gradients };
  return { loss, ends, outputs, weights };
}
