#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cnb {

// Page-aligned memory for traffic, touched once when it is made. Explicit huge pages where the system has reserved
// some, ordinary pages otherwise.
class Buffer {
 public:
  Buffer() = default;
  // The first touch happens on the calling thread, so that the pages come from its NUMA node (memory_node.h).
  // Filled with `content`, over and over, and with bytes that do not compress where that is empty.
  explicit Buffer(size_t bytes, const std::vector<uint8_t>& content = {});
  // With no huge pages, whatever the system has.
  static Buffer of_small_pages(size_t bytes);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool huge() const { return huge_; }

 private:
  void swap(Buffer& other) noexcept;
  void map_ordinary(int advice);
  void fill(const std::vector<uint8_t>& content);

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t mapped_ = 0;
  bool huge_ = false;
};

}  // namespace cnb
