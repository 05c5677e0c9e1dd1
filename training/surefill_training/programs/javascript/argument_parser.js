/**
 * Minimal command line parser.
 *
 *   const args = parseArgs(process.argv.slice(2), {
 *     output: { type: 'string', alias: 'o', default: 'out.txt' },
 *     verbose: { type: 'boolean', alias: 'v' },
 *     jobs: { type: 'number', alias: 'j', default: 1 },
 *   })
 */

export class UsageError extends Error {}

function convert(name, type, value) {
  if (type === 'number') {
    const number = Number(value)
    if (Number.isNaN(number)) {
      throw new UsageError(`--${name} expects a number, got "${value}"`)
    }
    return number
  }
  return value
}

function findOption(spec, flag) {
  if (flag.startsWith('--')) {
    const name = flag.slice(2)
    return name in spec ? name : undefined
  }
  const alias = flag.slice(1)
  return Object.keys(spec).find((name) => spec[name].alias === alias)
}

/**
 * @param {string[]} argv
 * @param {Object<string, {type: string, alias?: string, default?: any, required?: boolean}>} spec
 * @returns {{options: Object<string, any>, positional: string[]}}
 */
export function parseArgs(argv, spec) {
  const options = {}
  const positional = []

  for (const [name, option] of Object.entries(spec)) {
    if (option.default !== undefined) options[name] = option.default
    else if (option.type === 'boolean') options[name] = false
  }

  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]
    if (arg === '--') {
      positional.push(...argv.slice(i + 1))
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      positional.push(arg)
      continue
    }

    const [flag, inline] = arg.split(/=(.*)/s)
    const name = findOption(spec, flag)
    if (name === undefined) {
      throw new UsageError(`Unknown option: ${flag}`)
    }
    if (spec[name].type === 'boolean') {
      options[name] = inline !== 'false'
      continue
    }
    const value = inline !== undefined ? inline : argv[++i]
    if (value === undefined) {
      throw new UsageError(`--${name} needs a value`)
    }
    options[name] = convert(name, spec[name].type, value)
  }

  const missing = Object.keys(spec).filter((name) => spec[name].required && !(name in options))
  if (missing.length > 0) {
    throw new UsageError(`Missing required option: --${missing.join(', --')}`)
  }
  return { options, positional }
}

export function usage(program, spec) {
  const lines = [`Usage: ${program} [options] [files...]`, '', 'Options:']
  for (const [name, { alias, type, default: fallback, description = '' }] of Object.entries(spec)) {
    const short = alias ? `-${alias}, ` : '    '
    const value = type === 'boolean' ? '' : ` <${type}>`
    const suffix = fallback !== undefined ? ` (default: ${fallback})` : ''
    lines.push(`  ${short}--${name}${value}`.padEnd(30) + description + suffix)
  }
  return lines.join('\n')
}
