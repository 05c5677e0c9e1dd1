--- What happens once the server serves a buffer. Changes no key maps.

local M = {}

--- Have the menu leave the text alone until an entry is chosen, unless the user has decided that.
---
--- By default it writes its first entry into the text at once: what is suggested there would then
--- continue that entry, and a menu that opens by itself would get in the way.
---@param bufnr integer
local function select_nothing(bufnr)
  local own = vim.bo[bufnr].completeopt
  local chosen = own ~= "" and own or vim.go.completeopt
  local parts = vim.split(chosen, ",", { plain = true })
  if not vim.list_contains(parts, "noselect") and not vim.list_contains(parts, "noinsert") then
    vim.bo[bufnr].completeopt = chosen .. ",noselect"
  end
end

--- Have Neovim ask for what it would have asked for, had the server been there when it was typed.
---
--- It asks when the cursor moves. Only what is its own is told so, and once it listens.
---@param bufnr integer
local function catch_up(bufnr)
  local listener = "nvim.lsp.inline_completion:" .. bufnr
  vim.schedule(vim.schedule_wrap(function()
    local typing = vim.startswith(vim.api.nvim_get_mode().mode, "i")
    if typing and vim.api.nvim_get_current_buf() == bufnr then
      local moved = { buffer = bufnr, group = listener, modeline = false }
      pcall(vim.api.nvim_exec_autocmds, "CursorMovedI", moved) -- no such group, no question
    end
  end))
end

--- Switch on ghost text and menu, as far as options and this Neovim have them.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  local options = require("surefill.options").current
  if options.inline and require("surefill.inline").available() then
    require("surefill.inline").distinguish()
    vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
    catch_up(bufnr)
  end
  if options.menu then
    select_nothing(bufnr)
    vim.lsp.completion.enable(true, client.id, bufnr, { autotrigger = true })
  end
  require("surefill.status").refresh(client)
end

return M
