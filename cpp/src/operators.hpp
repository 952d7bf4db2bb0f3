// The operators of torch that a thread calls, each without the time of those that it calls itself.
#pragma once

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kernels.hpp"

// By its inputs, and by its name where its weights are packed: `precision_of` in src/breakeven/plugins/runtimes/_torch.py.
inline std::string precision_of(const std::string& name, c10::ArrayRef<const c10::IValue> inputs) {
  const auto named = [&name](const char* word) { return name.find(word) != std::string::npos; };
  // Anything without a namespace, such as TorchScript's `forward`, only calls operators.
  if (!named("::")) return "";
  for (const char* word : {"copy_", "_to_copy", "::to", "::clone", "::contiguous", "::quantize_", "::dequantize"}) {
    if (named(word)) return "";
  }
  for (const char* word : {"quantized::", "qconv", "qlinear"}) {
    if (named(word)) return "int8";
  }
  const auto given = [&inputs](at::ScalarType type) {
    return std::any_of(inputs.begin(), inputs.end(), [type](const c10::IValue& input) {
      return input.isTensor() && input.toTensor().defined() && input.toTensor().scalar_type() == type;
    });
  };
  if (given(at::kQUInt8) || given(at::kQInt8) || given(at::kChar)) return "int8";
  return given(at::kBFloat16) ? "bf16" : given(at::kFloat) ? "fp32" : "";
}

// Sees the operators of the thread that it lives in, one at a time, for as long as it does.
class Recorder {
 public:
  Recorder() {
    here_ = this;
    const auto callback = at::RecordFunctionCallback(&Recorder::start, &Recorder::end).needsInputs(true);
    handle_ = at::addThreadLocalCallback(callback);
  }
  ~Recorder() {
    at::removeCallback(handle_);
    here_ = nullptr;
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  std::vector<Kernel> ended;  // with the time of all calls

 private:
  using Clock = std::chrono::steady_clock;
  struct Call {
    Kernel kernel;
    Clock::time_point began;
  };

  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& function) {
    if (here_ == nullptr) return nullptr;  // another thread, to which torch has handed the callback on
    const std::string name = function.name();
    auto& running = here_->running_;
    // One that hands on to another of its name is the same call, as torch's profiler has it.
    if (!running.empty() && running.back().kernel.name == name) running.back().kernel.calls = 0;
    running.push_back({{name, precision_of(name, function.inputs()), 0, 1}, {}});
    running.back().began = Clock::now();
    return nullptr;
  }
  static void end(const at::RecordFunction&, at::ObserverContext*) {
    if (here_ == nullptr) return;
    auto& running = here_->running_;
    auto [kernel, began] = running.back();
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
    running.pop_back();
    kernel.ms += ms;
    if (!running.empty()) running.back().kernel.ms -= ms;
    here_->ended.push_back(kernel);
  }

  inline static thread_local Recorder* here_ = nullptr;
  at::CallbackHandle handle_;
  std::vector<Call> running_;
};

// What so many calls of `run` take.
template <typename Run>
std::vector<Kernel> operators(const Run& run, int calls) {
  Recorder recorder;
  for (int call = 0; call < calls; ++call) run();
  for (auto& kernel : recorder.ended) {
    kernel.ms /= calls;
    kernel.calls /= calls;
  }
  return recorder.ended;
}
