import HatchlingDynamics
import HatchlingGraph
import HatchlingNumerics

/// Which operations of the schedule are done fast. Wherever a probe may look, a kernel ends.
extension DirectExecutor {
  public var kernels: [Kernel<DirectExecutor>] {
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == Double)
    get {
      let parts = schedule.parts
      return [
        counted("receive", schedule.input) { executor, _, _ in executor.receiveToken() },
        counted("hear", parts.hear) { executor, _, _ in executor.hear() },
        counted("activate, rotate", parts.turn) { executor, _, _ in executor.activateAndRotate() },
        counted("read", parts.read) { executor, layer, _ in
          executor.exchange(layer, reads: true, writes: false)
        },
        counted("write", parts.write) { executor, layer, _ in
          executor.exchange(layer, reads: false, writes: true)
        },
        // Damping is lazy: a neuron's weights are damped when it next fires.
        counted("forget", parts.forget) { _, _, _ in },
        counted("read, write", parts.read + parts.write) { executor, layer, _ in
          executor.exchange(layer, reads: true, writes: true)
        },
        counted("listen", parts.listen) { executor, _, _ in executor.listen() },
        counted("gate", parts.gate + parts.field) { executor, _, _ in executor.gate() },
        counted("read out", schedule.readout) { executor, _, _ in executor.readOut() },
      ]
    }
  }
}

/// What it takes to count messages and updates.
extension DirectExecutor: ListingExecutor {
  var blocksOfHead: [Range<Int>] { layout.blocksOfHead }

  var outDegrees: [Connection: Degrees] { layout.outDegrees }

  func countWritten() -> Int { written }
}
