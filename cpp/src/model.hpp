// A classifier in the folder of an artifact: TorchScript, or an unpacked package of AOTInductor.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

// Load a shared library for all that asks for it by its name alone. Throws where it cannot be.
void open_library(const std::string& path);

class Model {
 public:
  virtual ~Model() = default;
  // (N, C, H, W) -> (N, classes)
  virtual at::Tensor run(const at::Tensor& images) = 0;
};

// What `about.txt` in the folder says of the model, and the model itself.
class Artifact {
 public:
  explicit Artifact(const std::filesystem::path& folder);

  // Load the libraries that the model's own needs: they are the program's, not the model's.
  void ready() const;
  // For so many threads at once. Throws where there is no model that can be read.
  std::unique_ptr<Model> load(std::size_t callers = 1) const;
  // uint8 images (N, C, H, W) as the model takes them: as they are, or as normalized float32.
  at::Tensor inputs(const at::Tensor& images) const;

  // Whether it is AOTInductor's.
  bool packaged() const;

  int64_t channels = 0, height = 0, width = 0;
  int64_t batch = 1;  // images at once, at most

 private:
  std::filesystem::path folder_;
  bool preprocesses_ = false;  // the model does it itself
  std::vector<float> mean_, std_;
};
