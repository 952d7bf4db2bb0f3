// The calls of oneDNN, which prints a line for each if it is asked to: src/breakeven/runtime/_onednn.py.
#pragma once

#include <ATen/native/verbose_wrapper.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.hpp"

// While it lives, what the program prints goes to a file, oneDNN's lines among it.
class Printed {
 public:
  Printed() : file_(std::tmpfile()), kept_(dup(1)) {
    if (file_ == nullptr || kept_ < 0) throw std::runtime_error("there is no file to print into");
    std::fflush(stdout);
    dup2(fileno(file_), 1);
    torch::verbose::_mkldnn_set_verbose(1);
  }
  ~Printed() {
    restore();
    std::fclose(file_);
  }
  Printed(const Printed&) = delete;
  Printed& operator=(const Printed&) = delete;

  // All of it; no more is kept.
  std::string text() {
    restore();
    std::rewind(file_);
    std::string found;
    for (char part[4096]; const std::size_t size = std::fread(part, 1, sizeof part, file_);) found.append(part, size);
    return found;
  }

 private:
  void restore() {
    if (kept_ < 0) return;
    torch::verbose::_mkldnn_set_verbose(0);
    std::fflush(stdout);
    dup2(kept_, 1);
    close(kept_);
    kept_ = -1;
  }

  std::FILE* file_;
  int kept_;
};

inline std::vector<Kernel> told(const std::string& lines, int calls) {
  static const std::map<std::string, std::string> kPrecisions{
      {"f32", "fp32"}, {"bf16", "bf16"}, {"u8", "int8"}, {"s8", "int8"}};
  // The operator, its implementation, its tensors, milliseconds.
  static const std::regex kLine("onednn_verbose(?:,v1)?(?:,primitive)?,exec,cpu,([^,]+),([^,]+),[^,]*,([^,]*),.*,([^,]+)");
  static const std::regex kSource(R"(\bsrc\w*:(\w+))");
  std::vector<Kernel> kernels;
  std::istringstream text(lines);
  for (std::string line; std::getline(text, line);) {
    std::smatch part, source;
    if (!std::regex_match(line, part, kLine)) continue;
    const std::string name = part[1], tensors = part[3];
    const bool tells = name != "reorder" && std::regex_search(tensors, source, kSource);
    const auto known = tells ? kPrecisions.find(source[1]) : kPrecisions.end();
    kernels.push_back({name + " (" + part[2].str() + ")", known == kPrecisions.end() ? "" : known->second,
                       std::stod(part[4]) / calls, 1. / calls});
  }
  return kernels;
}

// And what is left of the time of `run`, before anything is printed: nobody tells what that computes in.
template <typename Run>
std::vector<Kernel> calls_of_onednn(const Run& run, int calls) {
  const auto started = std::chrono::steady_clock::now();
  for (int call = 0; call < calls; ++call) run();
  const std::chrono::duration<double, std::milli> whole = std::chrono::steady_clock::now() - started;
  Printed printed;
  for (int call = 0; call < calls; ++call) run();
  auto kernels = told(printed.text(), calls);
  double rest = whole.count() / calls;
  for (const auto& kernel : kernels) rest -= kernel.ms;
  kernels.push_back({"its own kernels and what lies between", "", std::max(rest, 0.), 1});
  return kernels;
}
