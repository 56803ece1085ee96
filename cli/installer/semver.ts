/**
 * Compares two versions such as `0.10.0` and `0.9.1-beta.2`: below 0 when `a` is older, above 0 when it is newer.
 * A pre-release is older than its release; among pre-releases numbers count as numbers.
 */
export function compareVersions(a: string, b: string): number {
  const [coreA, preA] = split(a);
  const [coreB, preB] = split(b);
  return (
    compareParts(coreA, coreB) ||
    Number(preB.length > 0) - Number(preA.length > 0) ||
    compareParts(preA, preB)
  );
}

function split(version: string): [string[], string[]] {
  const [core = '', ...pre] = (version.split('+')[0] ?? '').split('-');
  return [core.split('.'), pre.length === 0 ? [] : pre.join('-').split('.')];
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [x = '', y = ''] = [a[i], b[i]];
    const areNumbers = /^\d+$/.test(x) && /^\d+$/.test(y);
    const order = areNumbers ? Number(x) - Number(y) : Number(x > y) - Number(x < y);
    if (order !== 0) return order;
  }
  return 0;
}
