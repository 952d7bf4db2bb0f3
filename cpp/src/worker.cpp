// A worker that speaks Breakeven's protocol (src/breakeven/measure/worker.py): a command a line, an answer a line.
//
//   worker COMMANDS ANSWERS ARTIFACT THREADS AFFINITY
//
// COMMANDS and ANSWERS are the numbers of open pipes, ARTIFACT is a folder, AFFINITY is JSON that is given back as it
// is. The process is pinned before it becomes this program.
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <barrier>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "json.hpp"
#include "model.hpp"
#include "npy.hpp"
#include "onednn.hpp"
#include "operators.hpp"

namespace {

constexpr double kSameOutput = 0.05;  // as the Python worker has it, and so the next
constexpr int64_t kPixels = 1 << 24;  // of all channels, predicted at once

double clock_ms(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

double now_ms() { return clock_ms(CLOCK_MONOTONIC); }

// A line of /proc/self/status in kB, as 10**6 bytes.
double status_mb(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::stod(line.substr(key.size() + 1)) * 1024 / 1e6;
  }
  return 0;
}

double shared_mb() { return status_mb("RssFile") + status_mb("RssShmem"); }

// Time that the hypervisor gave to others, all cores.
double steal_ms() {
  std::ifstream file("/proc/stat");
  std::string name;
  double value = 0;
  file >> name;
  for (int field = 0; field < 8; ++field) file >> value;
  return 1e3 * value / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string list(const std::vector<double>& values) {
  std::ostringstream text;
  text.precision(9);
  text << '[';
  for (std::size_t i = 0; i < values.size(); ++i) text << (i ? "," : "") << values[i];
  text << ']';
  return text.str();
}

// What a block takes besides the time of its calls.
class Meter {
 public:
  void start() {
    getrusage(RUSAGE_SELF, &usage_);
    stolen_ = steal_ms();
    cpu_ = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    began_ = now_ms();
  }
  // The fields of a block, as they follow others in JSON.
  std::string stop() const {
    const double spent = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_;
    rusage after;
    getrusage(RUSAGE_SELF, &after);
    std::ostringstream text;
    text.precision(15);
    text << R"(, "began_ms": )" << began_ << R"(, "cpu_ms": )" << spent << R"(, "switches": )"
         << after.ru_nivcsw - usage_.ru_nivcsw << R"(, "steal_ms": )" << steal_ms() - stolen_
         << R"(, "mhz": null, "device_ms": null)";
    return text.str();
  }

 private:
  rusage usage_{};
  double stolen_ = 0, cpu_ = 0, began_ = 0;
};

class Worker {
 public:
  Worker(const std::string& folder, int threads, const std::string& affinity)
      : artifact_(folder), scores_(folder + "/scores.npy"), affinity_(affinity) {
    at::set_num_threads(threads);
    artifact_.ready();
    floor_ = status_mb("VmRSS") - shared_mb();
  }

  std::string answer(const Command& command) {
    const auto& verb = command.text("do");
    if (verb == "load") return load(command);
    if (verb == "warm_up") return warm_up(command);
    if (verb == "inputs") return inputs(command);
    if (verb == "settle") return settle(command);
    if (verb == "block") return block(command);
    if (verb == "predict") return predict(command);
    if (verb == "profile") return profile(command);
    if (verb == "memory") return memory();
    throw std::runtime_error("no command of this worker: " + verb);
  }

 private:
  std::string load(const Command& command) {
    images_ = command.text("images");
    count_ = static_cast<int64_t>(command.number("batch_size"));
    if (artifact_.batch == 1 && count_ > 1) {
      return R"({"unsupported": "compiled for one image at once, not for )" + std::to_string(count_) +
             R"(: any_batch=true takes any"})";
    }
    const auto images = read_npy(images_, 0, count_);
    const double started = now_ms();
    model_ = artifact_.load(static_cast<std::size_t>(command.number("callers", 1)));
    const double loaded = now_ms();
    const c10::InferenceMode guard;
    input_ = artifact_.inputs(images);
    const double before = now_ms();
    const auto output = model_->run(input_);
    const double after = now_ms();
    peak_ = status_mb("VmHWM") - shared_mb();
    if (command.flag("compare")) compare(output);
    std::ostringstream text;
    text.precision(9);
    text << R"({"load_s": )" << (loaded - started) / 1e3 << R"(, "first_call_ms": )" << after - before
         << R"(, "affinity": )" << affinity_ << R"(, "warm": false})";
    return text.str();
  }

  void compare(const at::Tensor& output) const {
    const auto known = read_npy(scores_);
    const auto rows = at::arange(output.size(0)).remainder(known.size(0));
    const auto off = (output - known.index_select(0, rows)).abs().max() / known.abs().max();
    if (const auto error = off.item<double>(); !(error <= kSameOutput)) {
      throw std::runtime_error("its outputs are off by " + std::to_string(error) +
                               " of the largest from those that it was scored with");
    }
  }

  std::string warm_up(const Command& command) {
    const double least = command.number("least"), most = command.number("most");
    std::vector<double> times;
    double sum = 0;
    while (times.size() < least || (times.size() < most && sum < command.number("limit_ms"))) {
      times.push_back(calls(1)[0]);
      sum += times.back();
    }
    return R"({"calls_ms": )" + list(times) + "}";
  }

  // Other images of the file for the calls that follow.
  std::string inputs(const Command& command) {
    const c10::InferenceMode guard;
    input_ = artifact_.inputs(read_npy(images_, static_cast<int64_t>(command.number("first")), count_));
    return "{}";
  }

  std::string settle(const Command& command) {
    calls(static_cast<int>(command.number("calls")));
    return "{}";
  }

  std::string block(const Command& command) {
    const int count = static_cast<int>(command.number("calls"));
    const int settle = static_cast<int>(command.number("settle"));
    const int callers = static_cast<int>(command.number("callers"));
    Meter meter;
    std::vector<double> times;
    double wall = 0;
    if (callers == 1) {
      calls(settle);
      meter.start();
      times = calls(count);
      for (const double time : times) wall += time;
    } else {
      std::tie(times, wall) = crowd(count, settle, callers, meter);
    }
    const auto rest = meter.stop();
    std::ostringstream text;
    text.precision(15);
    text << R"({"calls_ms": )" << list(times) << R"(, "wall_ms": )" << wall << rest << '}';
    return text.str();
  }

  // The time of each call, milliseconds.
  std::vector<double> calls(int count) const {
    const c10::InferenceMode guard;
    std::vector<double> times(static_cast<std::size_t>(count));
    double before = now_ms();
    for (auto& time : times) {
      model_->run(input_);
      const double after = now_ms();
      time = after - before;
      before = after;
    }
    return times;
  }

  // The same by several threads at once, which share the model; and the time from first to last.
  std::pair<std::vector<double>, double> crowd(int count, int settle, int callers, Meter& meter) const {
    std::vector<std::vector<double>> own(static_cast<std::size_t>(callers));
    std::vector<double> starts(own.size()), ends(own.size());
    std::barrier together(callers, [&meter]() noexcept { meter.start(); });
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < own.size(); ++i) {
      threads.emplace_back([&, i] {
        calls(settle);
        together.arrive_and_wait();
        starts[i] = now_ms();
        own[i] = calls(count);
        ends[i] = now_ms();
      });
    }
    threads.clear();  // joins
    std::vector<double> times;
    for (const auto& some : own) times.insert(times.end(), some.begin(), some.end());
    return {times, *std::max_element(ends.begin(), ends.end()) - *std::min_element(starts.begin(), starts.end())};
  }

  std::string predict(const Command& command) {
    const c10::InferenceMode guard;
    const auto images = read_npy(command.text("images"));
    const int64_t size = std::clamp<int64_t>(kPixels / images[0].numel(), 1, artifact_.batch);
    std::vector<at::Tensor> logits;
    for (int64_t start = 0; start < images.size(0); start += size) {
      const auto batch = images.narrow(0, start, std::min(size, images.size(0) - start));
      logits.push_back(model_->run(artifact_.inputs(batch)).to(at::kFloat));
    }
    write_npy(command.text("out"), at::cat(logits));
    return R"({"count": )" + std::to_string(images.size(0)) + "}";
  }

  // What the first image of a file takes, operator by operator; a package calls oneDNN past torch's own.
  std::string profile(const Command& command) const {
    const c10::InferenceMode guard;
    const auto calls = static_cast<int>(command.number("calls"));
    const auto image = artifact_.inputs(read_npy(command.text("images")).narrow(0, 0, 1));
    const auto run = [&] { model_->run(image); };
    run();  // of another shape than the last
    const auto kernels = artifact_.packaged() ? calls_of_onednn(run, calls) : operators(run, calls);
    return R"({"facts": {}, "kernels": )" + list(merge(kernels)) + "}";
  }

  std::string memory() const {
    const double peak = std::max(peak_, status_mb("VmHWM") - shared_mb());
    return R"({"peak_memory_mb": )" + std::to_string(std::max(peak - floor_, 0.0)) + "}";
  }

  Artifact artifact_;
  std::string scores_, affinity_, images_;
  int64_t count_ = 1;  // images in a call
  double floor_ = 0, peak_ = 0;
  std::unique_ptr<Model> model_;
  at::Tensor input_;
};

std::string first_line(const std::string& text) { return text.substr(0, std::min<std::size_t>(text.find('\n'), 300)); }

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::fputs("worker COMMANDS ANSWERS ARTIFACT THREADS AFFINITY\n", stderr);
    return 2;
  }
  FILE* commands = fdopen(std::stoi(arguments[1]), "r");
  FILE* answers = fdopen(std::stoi(arguments[2]), "w");
  at::globalContext().setFlushDenormal(true);  // as all runtimes do; threads that start later inherit it
  Worker worker(arguments[3], std::stoi(arguments[4]), arguments[5]);
  std::string answer = "{}";  // to the command that started this program
  char* line = nullptr;
  std::size_t room = 0;
  do {
    std::fputs((answer + "\n").c_str(), answers);
    std::fflush(answers);
    const ssize_t length = getline(&line, &room, commands);
    if (length <= 0) return 0;
    try {
      answer = worker.answer(Command(std::string(line, static_cast<std::size_t>(length))));
    } catch (const c10::Error& error) {
      answer = R"({"error": )" + quoted(first_line(error.what_without_backtrace())) + "}";
    } catch (const std::exception& error) {
      answer = R"({"error": )" + quoted(first_line(error.what())) + "}";
    }
  } while (true);
}
