import { elementCount, type Shape } from '../tensor/tensor.ts';
import type { TensorRule } from './perTensor.ts';

const epsilon = 1e-30;
const clipThreshold = 1;
const decayRate = -0.8;

/**
 * Adafactor (Shazeer & Stern 2018): of the second moment of a matrix only the means of its rows and columns are kept. As
 * `transformers.Adafactor` with `relative_step=False`, `scale_parameter=False`, which is how trainers of image models set it up.
 */
export function adafactor({ weightDecay }: { readonly weightDecay: number }): TensorRule {
  return {
    slots: (shape) => {
      if (shape.length < 2) return { whole: { dtype: 'f32', length: elementCount(shape) } };
      const { matrices, rows, columns } = matricesOf(shape);
      return {
        rows: { dtype: 'f32', length: matrices * rows },
        columns: { dtype: 'f32', length: matrices * columns },
      };
    },
    update: (parameter, gradient, kept, shape, { clip, learningRate, steps }) => {
      const decay = 1 - steps ** decayRate;
      const update = gradient.map((value) => value * clip);
      if (shape.length < 2) scaleByMoment(update, kept['whole'] as Float32Array, decay);
      else
        scaleByFactors(update, kept['rows'] as Float32Array, kept['columns'] as Float32Array, shape, decay);
      const size = Math.max(1, rootMeanSquare(update) / clipThreshold);
      const keep = 1 - weightDecay * learningRate;
      for (let i = 0; i < parameter.length; i++)
        parameter[i] = (parameter[i] as number) * keep - ((update[i] as number) * learningRate) / size;
    },
  };
}

/** The last two axes are a matrix, the others count them. */
function matricesOf(shape: Shape): { matrices: number; rows: number; columns: number } {
  const [rows = 1, columns = 1] = shape.slice(-2);
  return { matrices: elementCount(shape.slice(0, -2)), rows, columns };
}

/** g → g/√v, with v the moving average of g². */
function scaleByMoment(update: Float32Array, moment: Float32Array, decay: number): void {
  for (let i = 0; i < update.length; i++) {
    const value = update[i] as number;
    moment[i] = decay * (moment[i] as number) + (1 - decay) * (value * value + epsilon);
    update[i] = value / Math.sqrt(moment[i] as number);
  }
}

/** The same with v ≈ row·column/mean(rows), of each matrix. */
function scaleByFactors(
  update: Float32Array,
  allRows: Float32Array,
  allColumns: Float32Array,
  shape: Shape,
  decay: number,
): void {
  const { matrices, rows, columns } = matricesOf(shape);
  for (let m = 0; m < matrices; m++) {
    const matrix = update.subarray(m * rows * columns, (m + 1) * rows * columns);
    const ofRow = allRows.subarray(m * rows, (m + 1) * rows);
    const ofColumn = allColumns.subarray(m * columns, (m + 1) * columns);
    const rowSums = new Float64Array(rows);
    const columnSums = new Float64Array(columns);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const value = matrix[r * columns + c] as number;
        const square = value * value + epsilon;
        rowSums[r] = (rowSums[r] as number) + square;
        columnSums[c] = (columnSums[c] as number) + square;
      }
    follow(ofRow, rowSums, columns, decay);
    follow(ofColumn, columnSums, rows, decay);
    const meanRow = ofRow.reduce((sum, value) => sum + value, 0) / rows;
    const ofColumns = ofColumn.map((value) => 1 / Math.sqrt(value));
    for (let r = 0; r < rows; r++) {
      const factor = 1 / Math.sqrt((ofRow[r] as number) / meanRow);
      for (let c = 0; c < columns; c++)
        matrix[r * columns + c] = (matrix[r * columns + c] as number) * factor * (ofColumns[c] as number);
    }
  }
}

function follow(average: Float32Array, sums: Float64Array, count: number, decay: number): void {
  for (let i = 0; i < average.length; i++)
    average[i] = decay * (average[i] as number) + ((1 - decay) * (sums[i] as number)) / count;
}

function rootMeanSquare(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value * value;
  return Math.sqrt(total / values.length);
}
