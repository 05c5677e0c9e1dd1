--- What `setup` takes: defaults, and which values are right. Knows nothing of clients.

local M = {}

---@class surefill.Options
---@field cmd string[] How to start the server.
---@field filetypes? string[] Where it is wanted; without it in all languages that it knows.
---@field settings table The server's settings, without the `surefill.` in front of their names.
---@field inline boolean Show suggestions as ghost text (Neovim 0.12).
---@field menu boolean Offer calls in Neovim's own completion menu while typing.
---@field restart boolean Start the server again when it has crashed.

---@return surefill.Options
function M.defaults()
  return {
    cmd = { "surefill", "lsp" },
    filetypes = nil,
    settings = {},
    inline = true,
    menu = true,
    restart = true,
  }
end

---@type surefill.Options
M.current = M.defaults()

---@param value any
local function is_list_of_strings(value)
  return vim.islist(value)
    and #value > 0
    and vim.iter(value):all(function(each)
      return type(each) == "string" and each ~= ""
    end)
end

---@param value any
local function is_settings(value)
  return type(value) == "table" and (vim.tbl_isempty(value) or not vim.islist(value))
end

local function is_boolean(value)
  return type(value) == "boolean"
end

---@type table<string, { accepts: fun(value: any): boolean, expected: string }>
local kinds = {
  cmd = { accepts = is_list_of_strings, expected = 'a list such as { "surefill", "lsp" }' },
  filetypes = { accepts = is_list_of_strings, expected = 'a list such as { "python" }' },
  settings = { accepts = is_settings, expected = "a table of the server's settings by name" },
  inline = { accepts = is_boolean, expected = "true or false" },
  menu = { accepts = is_boolean, expected = "true or false" },
  restart = { accepts = is_boolean, expected = "true or false" },
}

--- Options with defaults for what is missing or wrong, and a sentence for each that is wrong.
---@param given any
---@return surefill.Options, string[]
function M.parse(given)
  local options, problems = M.defaults(), {}
  if type(given) ~= "table" then
    return options, { ("setup: expected a table, got %s; using the defaults."):format(type(given)) }
  end
  for name, value in vim.spairs(given) do
    local kind = kinds[name]
    if not kind then
      table.insert(problems, ("%s: unknown option, ignored."):format(name))
    elseif kind.accepts(value) then
      options[name] = value
    else
      local shown = vim.inspect(value, { newline = " ", indent = "" })
      local message = "%s: expected %s, got %s; using the default."
      table.insert(problems, message:format(name, kind.expected, shown))
    end
  end
  return options, problems
end

--- Settings as they can go out as JSON: an empty table would become a list, and says nothing.
---@param settings table
---@return table
function M.as_json(settings)
  local made = vim.empty_dict()
  for name, value in pairs(settings) do
    if type(value) ~= "table" or vim.islist(value) then
      if type(value) ~= "table" or #value > 0 then
        made[name] = value
      end
    else
      made[name] = M.as_json(value)
    end
  end
  return made
end

return M
