#include "core/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14; older C libraries lack the name
#endif

namespace cnb {

namespace {

constexpr size_t kHugePage = 2 * 1024 * 1024;
constexpr size_t kPage = 4096;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

void* map(size_t bytes, int flags) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

// A hugetlb mapping can succeed and still raise SIGBUS at the first touch, when a cgroup's hugetlb limit is lower than
// the host's reserve (pods have a limit of zero). MADV_POPULATE_WRITE reports that as an error instead.
void* map_huge(size_t bytes) {
  void* memory = map(bytes, MAP_HUGETLB);
  if (memory == MAP_FAILED) return nullptr;
  if (madvise(memory, bytes, MADV_POPULATE_WRITE) == 0) return memory;
  munmap(memory, bytes);
  return nullptr;
}

}  // namespace

Buffer::Buffer(size_t bytes, const std::vector<uint8_t>& content) : size_(bytes) {
  // A huge page for a small buffer would waste most of it.
  if (bytes >= kHugePage / 2) {
    mapped_ = round_up(bytes, kHugePage);
    data_ = static_cast<uint8_t*>(map_huge(mapped_));
    huge_ = data_ != nullptr;
  }
  if (!data_) map_ordinary(round_up(bytes, kPage) >= kHugePage ? MADV_HUGEPAGE : MADV_NORMAL);
  fill(content);
}

Buffer Buffer::of_small_pages(size_t bytes) {
  Buffer buffer;
  buffer.size_ = bytes;
  buffer.map_ordinary(MADV_NOHUGEPAGE);
  buffer.fill({});
  return buffer;
}

// Without huge pages of the system's reserve. A kernel without transparent ones does not know the advice.
void Buffer::map_ordinary(int advice) {
  mapped_ = round_up(size_, kPage);
  void* memory = map(mapped_, 0);
  if (memory == MAP_FAILED) throw_errno("mmap");
  data_ = static_cast<uint8_t*>(memory);
  madvise(data_, mapped_, advice);
}

void Buffer::fill(const std::vector<uint8_t>& content) {
  if (!content.empty()) {
    for (size_t at = 0; at < size_; at += content.size()) {
      std::copy_n(content.begin(), std::min(content.size(), size_ - at), data_ + at);
    }
    return;
  }
  // Varied content: a device or tunnel that compresses must not find a run of zeroes.
  uint32_t pattern = 0x9e3779b9u;
  for (size_t i = 0; i < size_; i++) {
    pattern = pattern * 1664525u + 1013904223u;
    data_[i] = static_cast<uint8_t>(pattern >> 24);
  }
}

Buffer::Buffer(Buffer&& other) noexcept { swap(other); }

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  swap(other);
  return *this;
}

Buffer::~Buffer() {
  if (data_) munmap(data_, mapped_);
}

void Buffer::swap(Buffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapped_, other.mapped_);
  std::swap(huge_, other.huge_);
}

}  // namespace cnb
