/** The version of the package, e.g. `0.1.0`. */
export { toolVersion as version } from '../cli/package.js';
