--- The server's clients and its command line: found, configured, restarted.

local M = {}

local most_restarts, within_seconds = 3, 180
local patience_ms = 3000

---@type integer[] When the server was started again, in seconds.
local restarts = {}

---@return vim.lsp.Client[]
function M.clients()
  return vim.lsp.get_clients({ name = "surefill" })
end

---@param bufnr integer
---@return vim.lsp.Client?
function M.client(bufnr)
  return vim.lsp.get_clients({ name = "surefill", bufnr = bufnr })[1]
end

--- Put `settings` on top of those in force, for servers that run and that will be started.
---@param settings table
function M.configure(settings)
  local options = require("surefill.options")
  options.current.settings = vim.tbl_deep_extend("force", options.current.settings, settings)
  for _, client in ipairs(M.clients()) do
    local before = client.settings.surefill or {}
    -- Anew, as clients of one configuration may share the table.
    client.settings = vim.tbl_extend("force", client.settings, {
      surefill = options.as_json(vim.tbl_deep_extend("force", before, settings)),
    })
    client:notify("workspace/didChangeConfiguration", { settings = client.settings })
  end
  vim.lsp.config("surefill", { settings = { surefill = options.as_json(options.current.settings) } })
  vim.cmd.redrawstatus({ bang = true })
end

--- Start the server for all open files of its languages that have none.
local function start()
  vim.lsp.enable("surefill")
end

--- End all servers and start them again once they are gone.
function M.restart()
  restarts = {}
  local clients = M.clients()
  for _, client in ipairs(clients) do
    client:stop()
  end
  local waited, step = 0, 50
  local function once_gone()
    local gone = vim.iter(clients):all(function(client)
      return vim.lsp.get_client_by_id(client.id) == nil
    end)
    if gone or waited > 2 * patience_ms then
      start()
    else
      waited = waited + step
      if waited == patience_ms then
        for _, client in ipairs(clients) do
          client:stop(true)
        end
      end
      vim.defer_fn(once_gone, step)
    end
  end
  once_gone()
end

--- A server has ended. One that crashed is started again, but not again and again.
---@param code integer
---@param signal integer
---@param id integer The client's.
function M.exited(code, signal, id)
  require("surefill.status").forget(id)
  local wanted = signal == 15 or (code == 0 and signal == 0) or vim.v.exiting ~= vim.NIL
  if wanted or not require("surefill.options").current.restart then
    return
  end
  local now = math.floor(vim.uv.now() / 1000)
  restarts = vim.tbl_filter(function(time)
    return now - time < within_seconds
  end, restarts)
  if #restarts == most_restarts then
    local message = "Surefill: the server keeps crashing and stays off; see :Surefill log and doctor, "
      .. "then :Surefill restart"
    vim.notify(message, vim.log.levels.ERROR)
    return
  end
  table.insert(restarts, now)
  -- The first time at once, then with a growing pause.
  vim.defer_fn(start, 100 + 2000 * (#restarts - 1))
end

--- How the server is called with other arguments than `lsp`.
---@param arguments string[]
---@return string[]? command, string? problem
function M.command_line(arguments)
  local config = vim.lsp.config.surefill
  local cmd = config and config.cmd
  if type(cmd) ~= "table" then
    return nil, "the server is not started by a command, so there is none to ask"
  end
  local command = {}
  for _, each in ipairs(cmd) do
    if each == "lsp" then
      return vim.list_extend(command, arguments)
    end
    table.insert(command, each)
  end
  return nil, ('cmd has no "lsp" in it: %s'):format(table.concat(cmd, " "))
end

--- The arguments for examining what the settings ask for.
---@param more? string[]
---@return string[]
function M.doctor_arguments(more)
  local arguments = vim.list_extend({ "doctor" }, more or {})
  local bundle = require("surefill.options").current.settings.bundle
  return type(bundle) == "string" and vim.list_extend(arguments, { "--bundle", bundle })
    or arguments
end

--- Run the server's program with `arguments`; `done` is called in the main loop.
---@param arguments string[]
---@param done fun(result: vim.SystemCompleted)
---@return boolean started, string problem Empty where it was started.
function M.run(arguments, done)
  local command, problem = M.command_line(arguments)
  if not command then
    return false, problem or ""
  end
  local options = { text = true, env = { PYTHONUTF8 = "1" } }
  local started, reason = pcall(vim.system, command, options, vim.schedule_wrap(done))
  if not started then
    local advice = '%s cannot be run: install it (pip install "./server[cpu]"), or set cmd (%s)'
    return false, advice:format(command[1], reason)
  end
  return true, ""
end

return M
