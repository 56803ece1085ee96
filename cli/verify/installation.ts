import type { InstalledObject, OwnedObject } from './catalogue.js';
import type { Finding } from './finding.js';

const repairHint = 'Run seqctl install: it repairs functions, views, triggers and rights.';
const tableHint = 'seqctl install does not change tables back: undo the change by hand, or restore a backup.';

/** How an installation differs from the one this package makes. */
export function diffInstallation(
  expected: readonly InstalledObject[],
  actual: readonly OwnedObject[],
): Finding[] {
  const wanted = new Map(expected.map((object) => [keyOf(object), object]));
  const found = new Map(actual.map((object) => [keyOf(object), object]));
  // As SQL writes it, like all of them.
  const owner = found.get('schema seqctl')?.owner ?? null;
  const findings: Finding[] = [];
  for (const object of expected) {
    const is = found.get(keyOf(object));
    if (is === undefined) {
      // The parts of a missing table are missing with it.
      if (object.parent === null || found.has(object.parent)) findings.push(missing(object));
    } else {
      const differing = differences(object, is);
      if (differing.length > 0) findings.push(changed(object, is, differing));
    }
  }
  for (const object of actual) {
    const isExtra = !wanted.has(keyOf(object));
    if (isExtra && (object.parent === null || wanted.has(object.parent))) findings.push(extra(object));
    if (!isExtra && object.owner !== null && owner !== null && object.owner !== owner)
      findings.push(foreignOwner(object, owner));
  }
  return findings;
}

/** The recorded version and migrations against those of the package. */
export function checkVersion(
  installed: { readonly version: string; readonly migrations: readonly string[] },
  tool: { readonly version: string; readonly migrations: readonly string[] },
): Finding[] {
  const about = { severity: 'error', area: 'installation', hint: 'Run seqctl install.' } as const;
  const findings: Finding[] = tool.migrations
    .filter((name) => !installed.migrations.includes(name))
    .map((name) => ({
      ...about,
      kind: 'missing_migration',
      object: `migration ${name}`,
      what: 'was not run',
    }));
  if (installed.version !== tool.version) {
    const what = `is ${installed.version}, this tool is ${tool.version}`;
    findings.unshift({ ...about, kind: 'version', object: 'installed version', what });
  }
  return findings;
}

function keyOf({ kind, name }: InstalledObject): string {
  return `${kind} ${name}`;
}

function differences(expected: InstalledObject, actual: InstalledObject): string[] {
  const names = new Set([...Object.keys(expected.properties), ...Object.keys(actual.properties)]);
  return [...names]
    .filter((name) => (expected.properties[name] ?? '') !== (actual.properties[name] ?? ''))
    .sort();
}

function missing(object: InstalledObject): Finding {
  return { ...about(object, 'missing'), severity: 'error', what: 'is missing', hint: hintFor(object) };
}

function changed(expected: InstalledObject, actual: InstalledObject, names: readonly string[]): Finding {
  const differing = names.map((name) => {
    const is = inWords(name, actual.properties[name] ?? '');
    const should = inWords(name, expected.properties[name] ?? '');
    const isShort = is.length + should.length <= 80 && !(is + should).includes('\n');
    return isShort ? `${name} is "${is}", not "${should}"` : `another ${name}`;
  });
  return {
    ...about(expected, 'changed'),
    severity: 'error',
    what: `was changed: ${differing.join(', ')}`,
    hint: hintFor(expected),
  };
}

/** Of a trigger or rule, `enabled` is a letter of the catalogue. */
function inWords(name: string, value: string): string {
  const words: Readonly<Record<string, string>> = { O: 'yes', D: 'no', R: 'on replicas only', A: 'always' };
  return name === 'enabled' ? (words[value] ?? value) : value;
}

function extra(object: InstalledObject): Finding {
  const isIndex = object.kind === 'index';
  return {
    ...about(object, 'extra'),
    severity: isIndex ? 'warning' : 'error',
    what: 'is not part of seqctl',
    hint: isIndex
      ? 'Drop it unless you made it on purpose: it slows down every number.'
      : 'Find out who made it and why, then drop it; seqctl uninstall refuses while it is there.',
  };
}

function foreignOwner(object: OwnedObject, owner: string): Finding {
  return {
    ...about(object, 'owner'),
    severity: 'error',
    what: `belongs to ${object.owner ?? '?'}, not to ${owner}, the owner of schema seqctl`,
    hint: `alter ${object.kind} ${object.name} owner to ${owner};`,
  };
}

function about(object: InstalledObject, problem: string): Pick<Finding, 'area' | 'kind' | 'object'> {
  const kind = `${problem}_${object.kind.replaceAll(' ', '_')}`;
  return { area: 'installation', kind, object: `${object.kind} ${object.name}` };
}

function hintFor({ kind }: InstalledObject): string {
  return ['function', 'view', 'trigger'].includes(kind) ? repairHint : tableHint;
}
