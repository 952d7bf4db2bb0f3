// What a model executes, as src/breakeven/kernels.py has it: its operators, with precision and time.
#pragma once

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "json.hpp"

struct Kernel {
  std::string name, precision;  // "" for what converts or cannot be told
  double ms, calls;             // in a call of the model
};

// One for each operator and precision, the longest first.
inline std::vector<Kernel> merge(const std::vector<Kernel>& kernels) {
  std::map<std::pair<std::string, std::string>, Kernel> found;
  for (const auto& kernel : kernels) {
    const Kernel none{kernel.name, kernel.precision, 0, 0};
    auto& known = found.try_emplace({kernel.name, kernel.precision}, none).first->second;
    known.ms += kernel.ms;
    known.calls += kernel.calls;
  }
  std::vector<Kernel> merged;
  for (const auto& [key, kernel] : found) merged.push_back(kernel);
  std::stable_sort(merged.begin(), merged.end(), [](const auto& one, const auto& other) { return one.ms > other.ms; });
  return merged;
}

// As JSON.
inline std::string list(const std::vector<Kernel>& kernels) {
  std::ostringstream text;
  text.precision(9);
  for (const auto& kernel : kernels) {
    text << (text.tellp() > 0 ? ", " : "") << R"({"operator": )" << quoted(kernel.name) << R"(, "precision": )"
         << quoted(kernel.precision) << R"(, "ms": )" << kernel.ms << R"(, "calls": )" << kernel.calls << '}';
  }
  return '[' + text.str() + ']';
}
