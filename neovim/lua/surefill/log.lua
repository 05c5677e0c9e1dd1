--- The last lines that servers have logged. Neovim's own LSP log leaves most of them out.

local M = {}

local kept = 1000

---@type string[]
local lines = {}

local names = { "error", "warning", "info", "log", "debug" }

---@param message lsp.LogMessageParams
function M.add(message)
  local head = ("%s %s "):format(os.date("%H:%M:%S"), names[message.type] or "log")
  for line in vim.gsplit(head .. message.message, "\n") do
    table.insert(lines, line)
  end
  while #lines > kept do
    table.remove(lines, 1)
  end
end

--- All of them, the newest last, and where what the server wrote to stderr is found.
---@return string[]
function M.lines()
  local shown = vim.list_extend({}, lines)
  table.insert(shown, "What servers write to stderr is in " .. vim.lsp.log.get_filename())
  return shown
end

return M
