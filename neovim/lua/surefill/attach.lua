--- What happens once the server serves a buffer. Changes no key maps.

local M = {}

--- Switch on ghost text and menu, as far as options and this Neovim have them.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  local options = require("surefill.options").current
  if options.inline and require("surefill.inline").available() then
    vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
  end
  if options.menu then
    vim.lsp.completion.enable(true, client.id, bufnr, { autotrigger = true })
  end
  require("surefill.status").refresh(client)
end

return M
