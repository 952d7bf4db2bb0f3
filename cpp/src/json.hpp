// As much JSON as the worker's commands need: one object of strings, numbers and booleans on a line.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

class Command {
 public:
  explicit Command(const std::string& line) : text_(line) {
    expect('{');
    if (peek() == '}') return;
    do {
      const auto key = string();
      expect(':');
      values_[key] = peek() == '"' ? string() : word();
    } while (next() == ',');
  }

  const std::string& text(const std::string& key) const { return values_.at(key); }
  double number(const std::string& key) const { return std::stod(values_.at(key)); }
  double number(const std::string& key, double otherwise) const { return values_.count(key) ? number(key) : otherwise; }
  bool flag(const std::string& key) const { return values_.at(key) == "true"; }

 private:
  char peek() {
    while (text_[at_] == ' ') ++at_;
    return text_[at_];
  }
  char next() {
    const char found = peek();
    ++at_;
    return found;
  }
  void expect(char wanted) {
    if (next() != wanted) throw std::runtime_error("not a command: " + text_.substr(0, 60));
  }
  std::string word() {
    const auto end = text_.find_first_of(",}", at_);
    const auto found = text_.substr(at_, end - at_);
    at_ = end;
    return found;
  }
  std::string string() {
    expect('"');
    std::string found;
    while (text_.at(at_) != '"') {
      if (text_[at_] != '\\') {
        found += text_[at_++];
        continue;
      }
      const char escaped = text_.at(at_ + 1);
      at_ += 2;
      if (escaped != 'u') {
        found += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
        continue;
      }
      append_utf8(found, std::stoi(text_.substr(at_, 4), nullptr, 16));
      at_ += 4;
    }
    ++at_;
    return found;
  }
  static void append_utf8(std::string& text, int code) {
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xC0 | (code >> 6));
      text += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      text += static_cast<char>(0xE0 | (code >> 12));
      text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  std::string text_;
  std::size_t at_ = 0;
  std::map<std::string, std::string> values_;
};

// A string as JSON has it.
inline std::string quoted(const std::string& text) {
  std::string found = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') found += '\\';
    found += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return found + '"';
}
