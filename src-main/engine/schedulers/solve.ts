/** x of A·x = b by Gaussian elimination with partial pivoting; A is square and regular, given by rows. */
export function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i] as number]);
  const size = rows.length;
  const entry = (row: number, column: number) => rows[row]?.[column] as number;
  for (let column = 0; column < size; column++) {
    const pivot = rows
      .slice(column)
      .reduce(
        (best, _, k) =>
          Math.abs(entry(column + k, column)) > Math.abs(entry(best, column)) ? column + k : best,
        column,
      );
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    const scaled = (rows[column] as number[]).map((value) => value / entry(column, column));
    rows.forEach((row, k) => {
      const factor = row[column] as number;
      rows[k] = k === column ? scaled : row.map((value, j) => value - factor * (scaled[j] as number));
    });
  }
  return rows.map((row) => row[size] as number);
}
