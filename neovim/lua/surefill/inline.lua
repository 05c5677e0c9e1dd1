--- Suggestions in the text, on |lsp-inline_completion|: Neovim asks and shows, this accepts.
---
--- Neovim itself puts in an item as it was when the server sent it. Between a key and the answer to
--- it what was typed since would then stand there twice, and an answer that comes late would go to a
--- wrong place. Here only what is still missing behind the cursor is put in, or nothing.

local M = {}

---@return boolean
function M.available()
  return vim.lsp.inline_completion ~= nil
end

--- Have suggestions look unlike the text where the colours in use do not see to it.
---
--- Neovim's own make them grey only in terminals of 24-bit colour.
function M.distinguish()
  local hint = vim.api.nvim_get_hl(0, { name = "ComplHint", link = false })
  local plain = not hint.ctermfg and not hint.ctermbg and vim.tbl_isempty(hint.cterm or {})
  if M.available() and plain and not vim.o.termguicolors then
    -- Of the first 16 colours every terminal makes its own, so that the grey one may not be grey.
    local grey = (tonumber(vim.api.nvim_eval("&t_Co")) or 0) >= 256 and 244 or 8
    vim.api.nvim_set_hl(0, "ComplHint", vim.tbl_extend("force", hint, { ctermfg = grey }))
  end
end

---@type table<"all"|"word"|"line", fun(text: string): string>
local parts = {
  all = function(text)
    return text
  end,
  word = function(text)
    -- Bytes from 128 on are letters: a word is not cut inside a character.
    return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w_%s\128-\255]+") or text
  end,
  line = function(text)
    return text:match("^\n*[^\n]+") or text
  end,
}

--- What of `item` is still missing at the cursor, and where what it replaces ends.
---@param item vim.lsp.inline_completion.Item
---@return string? rest, integer? end_row, integer? end_col Nothing where it does not fit any more.
local function missing(item)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  row = row - 1
  if not item.range then
    return item.insert_text, row, col
  end
  local start_row, start_col, end_row, end_col = item.range:to_extmark()
  -- Fails where the document has become shorter, or the cursor stands in front of the range.
  local readable, lines =
    pcall(vim.api.nvim_buf_get_text, 0, start_row, start_col, row, col, {})
  local typed = readable and table.concat(lines, "\n")
  if not typed or not vim.startswith(item.insert_text, typed) then
    return nil
  end
  if end_row < row or (end_row == row and end_col < col) then
    end_row, end_col = row, col
  end
  return item.insert_text:sub(#typed + 1), end_row, end_col
end

---@param text string
---@param end_row integer
---@param end_col integer
local function insert(text, end_row, end_col)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local lines = vim.split(text, "\n")
  vim.api.nvim_buf_set_text(0, row - 1, col, end_row, end_col, lines)
  local before = #lines == 1 and col or 0
  vim.api.nvim_win_set_cursor(0, { row + #lines - 1, before + #lines[#lines] })
end

--- Put the suggestion, or the next part of it, into the text.
---@param part "all"|"word"|"line"
---@return boolean accepted False where no suggestion is shown.
function M.accept(part)
  if not M.available() then
    return false
  end
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local client = vim.lsp.get_client_by_id(item.client_id)
      local ours = client and client.name == "surefill" and type(item.insert_text) == "string"
      if not client or not ours then
        return item
      end
      local rest, end_row, end_col = missing(item)
      if not rest or not end_row or not end_col then
        return nil
      end
      local text = parts[part](rest)
      if #text < #rest then
        end_row, end_col = unpack(vim.api.nvim_win_get_cursor(0))
        end_row = end_row - 1
      end
      insert(text, end_row, end_col)
      if #text == #rest and item.command then
        client:exec_cmd(item.command, { bufnr = vim.api.nvim_get_current_buf() })
      end
      return nil
    end,
  })
end

---@param count integer
function M.cycle(count)
  if M.available() then
    vim.lsp.inline_completion.select({ count = count })
  end
end

---@return boolean dismissed
function M.dismiss()
  return M.available()
    and vim.lsp.inline_completion.get({
      on_accept = function()
        return nil
      end,
    })
end

return M
