#include "core/own_descriptors.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace cnb {

namespace {

// linux/close_range.h: the closing begins with a private copy of the table.
constexpr unsigned kUnshare = 1u << 1;
// One number on all architectures; older headers lack it.
constexpr long kCloseRange = 436;

// By number also because sanitizers would take a close() for one of the common table's files.
bool close_from_to(int first, int last, unsigned flags = 0) {
  return syscall(kCloseRange, static_cast<unsigned>(first), static_cast<unsigned>(last), flags) == 0;
}

}  // namespace

OwnDescriptors::OwnDescriptors(std::vector<int> kept) {
  kept.push_back(STDERR_FILENO);
  std::sort(kept.begin(), kept.end());
  // From the top down: the copy ends where the closing begins.
  owned_ = close_from_to(kept.back() + 1, INT_MAX, kUnshare);
  for (size_t i = kept.size() - 1; owned_ && kept[i] > STDERR_FILENO; i--) {
    if (kept[i] > kept[i - 1] + 1) close_from_to(kept[i - 1] + 1, kept[i] - 1);
  }
}

void OwnDescriptors::close_all_but(int fd) {
  if (!owned_) return;
  if (fd > STDERR_FILENO + 1) close_from_to(STDERR_FILENO + 1, fd - 1);
  close_from_to(fd + 1, INT_MAX);
}

}  // namespace cnb
