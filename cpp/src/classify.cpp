// classify ARTIFACT IMAGE [NAMES]: the five most likely classes of an image file, by an artifact of LibTorch.
//
// NAMES is a text file with the name of a class in each line; without it classes are numbers.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include "model.hpp"

namespace {

// A file as a uint8 image (channels, H, W), by torchvision's own decoder of PNG, JPEG, GIF and WebP.
at::Tensor read_image(const std::string& path, int64_t channels) {
  // The decoder asks for the whole of libtorch by its name alone, and knows no folder to find it in.
  for (const char* library : {TORCH_WHOLE, TORCHVISION_IMAGE}) open_library(library);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error(path + ": there is no such file");
  auto bytes = at::empty({static_cast<int64_t>(file.tellg())}, at::kByte);
  file.seekg(0);
  file.read(static_cast<char*>(bytes.data_ptr()), bytes.numel());
  const int64_t mode = channels == 1 ? 1 : 3;  // torchvision.io.ImageReadMode: GRAY, RGB
  std::vector<c10::IValue> stack{bytes, mode, false};
  c10::Dispatcher::singleton().findSchemaOrThrow("image::decode_image", "").callBoxed(&stack);
  return stack[0].toTensor();
}

// Crop to a square and resize, as the folder of images does it for training.
at::Tensor fit(const at::Tensor& image, int64_t height, int64_t width) {
  if (image.size(1) == height && image.size(2) == width) return image.unsqueeze(0);
  const int64_t side = std::min(image.size(1), image.size(2));
  const auto square = image.narrow(1, (image.size(1) - side) / 2, side).narrow(2, (image.size(2) - side) / 2, side);
  const auto resized = at::_upsample_bilinear2d_aa(square.unsqueeze(0).to(at::kFloat), {height, width}, false);
  return resized.round().clamp(0, 255).to(at::kByte);
}

void classify(const std::string& folder, const std::string& path, const char* names) {
  const c10::InferenceMode guard;
  const Artifact artifact(folder);
  const auto image = fit(read_image(path, artifact.channels), artifact.height, artifact.width);
  const auto shares = at::softmax(artifact.load()->run(artifact.inputs(image))[0].to(at::kFloat), 0);
  std::vector<std::string> known;
  if (names != nullptr) {
    std::ifstream file(names);
    if (!file) throw std::runtime_error(std::string(names) + ": there is no such file");
    for (std::string name; std::getline(file, name);) known.push_back(name);
  }
  const auto [values, classes] = shares.topk(std::min<int64_t>(5, shares.size(0)));
  for (int64_t rank = 0; rank < values.size(0); ++rank) {
    const auto number = static_cast<std::size_t>(classes[rank].item<int64_t>());
    const auto name = number < known.size() ? known[number] : std::to_string(number);
    std::printf("%6.2f%%  %s\n", 100 * values[rank].item<double>(), name.c_str());
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3 && count != 4) {
    std::fputs("classify ARTIFACT IMAGE [NAMES]\n", stderr);
    return 2;
  }
  try {
    classify(arguments[1], arguments[2], count == 4 ? arguments[3] : nullptr);
    return 0;
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "classify: %s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "classify: %s\n", error.what());
  }
  return 1;
}
