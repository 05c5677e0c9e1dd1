--- What the servers say of themselves, kept for statuslines, which must not wait.

local M = {}

---@class surefill.Status The server's answer to `surefill.status`, as far as it is used here.
---@field state "idle"|"starting"|"loading"|"ready"|"failed"
---@field problem string
---@field version string
---@field provider? string
---@field bundle? { name: string, version: string }
---@field checker { name: string, version: string, state: string }

---@type table<integer, surefill.Status>
local known = {}

M.request = { command = "surefill.status", arguments = {} }

--- Ask `client` anew.
---@param client vim.lsp.Client
function M.refresh(client)
  client:request("workspace/executeCommand", M.request, function(err, status)
    if not err then
      known[client.id] = status
      vim.cmd.redrawstatus({ bang = true })
    end
  end)
end

--- The client is gone.
---@param id integer
function M.forget(id)
  known[id] = nil
  vim.cmd.redrawstatus({ bang = true })
end

---@param bufnr integer
---@return string
function M.text(bufnr)
  local client = require("surefill.server").client(bufnr)
  if not client then
    return ""
  end
  if require("surefill").paused() then
    return "surefill: paused"
  end
  local status = known[client.id]
  if not status then
    return "surefill: starting"
  end
  return status.state == "ready" and "surefill" or "surefill: " .. status.state
end

return M
