--- `:checkhealth surefill`.

local M = {}

local version_ms, doctor_ms, answer_ms = 10000, 120000, 5000

local function neovim()
  vim.health.start("Surefill: Neovim")
  if vim.fn.has("nvim-0.11.3") == 0 then
    vim.health.error("Neovim is older than 0.11.3", "Install Neovim 0.12.")
    return
  end
  vim.health.ok("Neovim " .. tostring(vim.version()))
  local options = require("surefill.options").current
  if not require("surefill.inline").available() then
    local advice = "Install Neovim 0.12 for suggestions in the text; the menu works without."
    vim.health.warn("this Neovim has no inline completion", advice)
  elseif options.inline then
    vim.health.ok("inline completion is there")
  else
    vim.health.info("inline completion is there, and turned off by the option `inline`")
  end
  for _, other in ipairs({ "cmp", "blink.cmp", "mini.completion" }) do
    if options.menu and package.loaded[other] then
      vim.health.warn(other .. " has a menu of its own", "Set the option `menu` to false.")
    end
  end
end

---@param arguments string[]
---@param timeout_ms integer
---@return vim.SystemCompleted?
local function ask(arguments, timeout_ms)
  local result ---@type vim.SystemCompleted?
  local started, problem = require("surefill.server").run(arguments, function(completed)
    result = completed
  end)
  if not started then
    vim.health.error(problem)
    return nil
  end
  vim.wait(timeout_ms, function()
    return result ~= nil
  end, 20)
  if not result then
    local what = table.concat(arguments, " ")
    vim.health.error(("%s took more than %d s"):format(what, timeout_ms / 1000))
  end
  return result
end

--- Whether the program is there and says its version.
---@return boolean
local function program()
  vim.health.start("Surefill: the server")
  local command, problem = require("surefill.server").command_line({})
  if not command then
    vim.health.warn(problem or "")
    return false
  end
  local path = vim.fn.exepath(command[1])
  if path == "" then
    local advice = 'Install it: `pip install "./server[cpu]"` in its repository. Or set the option `cmd`.'
    vim.health.error(("`%s` is not on the PATH"):format(command[1]), advice)
    return false
  end
  local result = ask({ "--version" }, version_ms)
  if not result then
    return false
  end
  if result.code ~= 0 then
    vim.health.error(("`%s --version` fails: %s"):format(path, vim.trim(result.stderr)))
    return false
  end
  vim.health.ok(("%s at %s"):format(vim.trim(result.stdout), path))
  return true
end

--- What `surefill doctor` finds: runtime, bundle, grammars, type checker.
local function doctor()
  local result = ask(require("surefill.server").doctor_arguments({ "--json" }), doctor_ms)
  if not result then
    return
  end
  local readable, findings = pcall(vim.json.decode, result.stdout)
  if not readable then
    vim.health.error("`surefill doctor` fails: " .. vim.trim(result.stderr))
    return
  end
  for _, finding in ipairs(findings) do
    local text = ("%s: %s"):format(finding.subject, finding.detail)
    if finding.ok then
      vim.health.ok(text)
    else
      vim.health.error(text, finding.remedy ~= "" and finding.remedy or nil)
    end
  end
end

---@param client vim.lsp.Client
local function describe(client)
  local buffers = vim.tbl_count(client.attached_buffers)
  local where = client.root_dir or "no folder"
  vim.health.ok(("client %d is attached to %d buffers, in %s"):format(client.id, buffers, where))
  local request = require("surefill.status").request
  local answer = client:request_sync("workspace/executeCommand", request, answer_ms)
  local status = answer and answer.result ---@type surefill.Status?
  if not status then
    vim.health.error("it does not answer", "Try :Surefill restart, then look into :Surefill log.")
  elseif status.problem ~= "" then
    vim.health.error("its model: " .. status.problem)
  elseif type(status.bundle) == "table" then
    local model = "its model is %s %s on %s"
    vim.health.ok(model:format(status.bundle.name, status.bundle.version, status.provider))
  else
    vim.health.info("its model is " .. status.state)
  end
end

local function clients()
  vim.health.start("Surefill: clients")
  if require("surefill").paused() then
    vim.health.info("suggestions are paused; `:Surefill resume` ends that")
  end
  local found = require("surefill.server").clients()
  if #found == 0 then
    local advice = 'Call require("surefill").setup() and open a file of one of its languages.'
    vim.health.warn("no client is running", advice)
  end
  for _, client in ipairs(found) do
    describe(client)
  end
end

function M.check()
  neovim()
  if vim.fn.has("nvim-0.11.3") == 0 then
    return
  end
  if program() then
    doctor()
  end
  clients()
end

return M
