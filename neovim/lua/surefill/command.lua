--- The command |:Surefill|.

local M = {}

local names = { "doctor", "explain", "log", "pause", "restart", "resume" }

--- The subcommands that begin with what was typed.
---@param typed string
---@return string[]
function M.matching(typed)
  return vim.tbl_filter(function(name)
    return vim.startswith(name, typed)
  end, names)
end

---@param name string
function M.run(name)
  if vim.list_contains(names, name) then
    require("surefill")[name]()
  else
    local message = "Surefill: there is no %s; there are %s."
    vim.notify(message:format(name, table.concat(names, ", ")), vim.log.levels.ERROR)
  end
end

return M
