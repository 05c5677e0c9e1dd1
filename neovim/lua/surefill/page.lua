--- Pages to read: one scratch buffer for each name, in a window below. `q` closes it.

local M = {}

---@param uri string
---@return integer bufnr
local function buffer(uri)
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(bufnr) == uri then
      return bufnr
    end
  end
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(bufnr, uri)
  vim.bo[bufnr].bufhidden = "wipe"
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr, desc = "Close this page" })
  return bufnr
end

--- Show `lines`, in the place of what the page of this name showed before.
---
--- The cursor goes there, unless the user is typing.
---@param name string
---@param lines string[]
---@param filetype string
function M.show(name, lines, filetype)
  local bufnr = buffer("surefill://" .. name)
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  if vim.bo[bufnr].filetype ~= filetype then
    vim.bo[bufnr].filetype = filetype
  end
  local height = math.max(3, math.min(#lines + 1, math.floor(vim.o.lines / 2)))
  local window = vim.fn.bufwinid(bufnr)
  if window ~= -1 then
    local room = vim.api.nvim_win_get_height(window)
    vim.api.nvim_win_set_height(window, math.max(room, height))
  else
    local enter = not vim.startswith(vim.api.nvim_get_mode().mode, "i")
    window = vim.api.nvim_open_win(bufnr, enter, { split = "below", height = height })
    vim.wo[window].wrap = true
    vim.wo[window].linebreak = true
  end
end

return M
