// Answers this node's containers and clients from the cluster's directory: DNS and ingress.
#pragma once

#include <memory>

#include "model/directory.hpp"

namespace davit::ports {

// Called on the control thread with each new state, which supersedes the last one. Before the first call nothing is known, which is not
// the same as that there is nothing.
class DirectoryUser {
 public:
  virtual ~DirectoryUser() = default;
  virtual void show(std::shared_ptr<model::Directory const> directory) = 0;
};

}  // namespace davit::ports
