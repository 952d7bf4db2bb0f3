#include "model.hpp"

#include <dlfcn.h>

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/csrc/jit/serialization/import.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace {

namespace fs = std::filesystem;

class Script : public Model {
 public:
  explicit Script(const fs::path& path) : module_(torch::jit::load(path.string(), at::kCPU)) {}

  at::Tensor run(const at::Tensor& images) override { return module_.forward({images}).toTensor(); }

 private:
  torch::jit::script::Module module_;
};

class Package : public Model {
 public:
  Package(const fs::path& path, std::size_t callers) : loader_(path.string(), "model", false, callers) {}

  at::Tensor run(const at::Tensor& images) override { return loader_.run({images})[0]; }

 private:
  torch::inductor::AOTIModelPackageLoader loader_;
};

std::vector<float> numbers(const std::string& text) {
  std::vector<float> found;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) found.push_back(std::stof(part));
  return found;
}

}  // namespace

void open_library(const std::string& path) {
  if (dlopen(path.c_str(), RTLD_LAZY | RTLD_GLOBAL) == nullptr) throw std::runtime_error(dlerror());
}

Artifact::Artifact(const fs::path& folder) : folder_(folder) {
  std::ifstream about(folder / "about.txt");
  if (!about) throw std::runtime_error((folder / "about.txt").string() + ": there is no such file");
  for (std::string key, value; about >> key >> value;) {
    if (key == "batch") batch = std::stoll(value);
    if (key == "channels") channels = std::stoll(value);
    if (key == "height") height = std::stoll(value);
    if (key == "width") width = std::stoll(value);
    if (key == "preprocessing") preprocesses_ = value == "inside";
    if (key == "mean") mean_ = numbers(value);
    if (key == "std") std_ = numbers(value);
  }
}

bool Artifact::packaged() const { return fs::is_directory(folder_ / "package"); }

void Artifact::ready() const {
  if (packaged()) open_library(TORCH_WHOLE);
}

std::unique_ptr<Model> Artifact::load(std::size_t callers) const {
  if (fs::exists(folder_ / "model.ts")) return std::make_unique<Script>(folder_ / "model.ts");
  if (!packaged()) throw std::runtime_error(folder_.string() + ": neither model.ts nor package/ in it");
  return std::make_unique<Package>(fs::directory_iterator(folder_ / "package")->path(), callers);
}

at::Tensor Artifact::inputs(const at::Tensor& images) const {
  if (preprocesses_) return images.contiguous();
  const auto mean = at::tensor(mean_).view({1, channels, 1, 1});
  const auto deviation = at::tensor(std_).view({1, channels, 1, 1});
  return ((images.to(at::kFloat) / 255 - mean) / deviation).contiguous();
}
