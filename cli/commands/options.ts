import { InvalidArgumentError, Option } from 'commander';

/** `--lock-timeout 10`: seconds on the command line, milliseconds in the code. */
export function lockTimeoutOption(): Option {
  return new Option('--lock-timeout <seconds>', 'how long to wait for a lock; 0 waits for ever')
    .default(10_000, '10')
    .argParser(parseSeconds);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 86_400)) {
    throw new InvalidArgumentError('It is a number of seconds from 0 to 86400.');
  }
  return Math.round(seconds * 1000);
}
