#pragma once

#include <sys/types.h>

#include <cstddef>

#include "core/fd.h"

namespace cnb {

// A file in memory as the source of sendfile(2): its pages go into the socket by reference.
class FileSource {
 public:
  // Throws SystemError.
  explicit FileSource(size_t bytes);

  // sendfile(2)'s result for one pass from the beginning.
  ssize_t send(int socket) const;

 private:
  Fd fd_;
  size_t size_;
};

}  // namespace cnb
