// NumPy's file format, version 1 and 2: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <regex>
#include <string>

// An array of uint8 or float32 in C order: all of it, or `count` rows from `first` on.
inline at::Tensor read_npy(const std::string& path, int64_t first = 0, int64_t count = -1) {
  std::ifstream file(path, std::ios::binary);
  char magic[8];
  file.read(magic, 8);
  if (!file || std::memcmp(magic, "\x93NUMPY", 6) != 0) throw std::runtime_error(path + ": not an array");
  uint32_t size = 0;
  file.read(reinterpret_cast<char*>(&size), magic[6] == 1 ? 2 : 4);
  std::string header(size, ' ');
  file.read(header.data(), size);
  std::smatch shape, kind;
  if (!std::regex_search(header, shape, std::regex(R"('shape': \(([^)]*)\))")) ||
      !std::regex_search(header, kind, std::regex(R"('descr': '(\|u1|<f4)')")) ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw std::runtime_error(path + ": not uint8 or float32 in C order");
  }
  std::vector<int64_t> sizes;
  const std::string numbers = shape[1];
  const std::regex digits(R"(\d+)");
  for (std::sregex_iterator number(numbers.begin(), numbers.end(), digits), end; number != end; ++number) {
    sizes.push_back(std::stoll(number->str()));
  }
  if (count >= 0) sizes[0] = std::min(count, sizes[0] - first);
  auto tensor = at::empty(sizes, kind[1] == "|u1" ? at::kByte : at::kFloat);
  if (first > 0) file.seekg(first * static_cast<int64_t>(tensor.nbytes()) / sizes[0], std::ios::cur);
  file.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
  if (!file) throw std::runtime_error(path + ": truncated");
  return tensor;
}

// A float32 matrix.
inline void write_npy(const std::string& path, const at::Tensor& matrix) {
  const auto values = matrix.to(at::kFloat).contiguous();
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(values.size(0)) +
                       ", " + std::to_string(values.size(1)) + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  const auto size = static_cast<uint16_t>(header.size());
  std::ofstream file(path, std::ios::binary);
  file.write("\x93NUMPY\x01\x00", 8);
  file.write(reinterpret_cast<const char*>(&size), 2);
  file << header;
  file.write(static_cast<const char*>(values.data_ptr()), static_cast<std::streamsize>(values.nbytes()));
  if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}
