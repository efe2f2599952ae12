import Foundation
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining
import TestSupport
import Testing

/// Sessions and errors as other programs use them, without a command line.
@Suite struct LibraryTests {
  /// Small enough for a second.
  private func request(_ folder: TemporaryFolder, _ out: String) throws -> TrainingRequest {
    var request = TrainingRequest(
      texts: [try folder.write("text", wordyText)], out: folder.path(out))
    request.network.choose(.neurons, \.neurons, 64)
    request.network.choose(.synapticDimension, \.synapticDimension, 16)
    request.network.choose(.heads, \.heads, 2)
    request.network.choose(.layers, \.layers, 2)
    request.schedule.choose(.block, \.block, 32)
    request.schedule.choose(.batch, \.batch, 2)
    request.schedule.choose(.steps, \.steps, 6)
    (request.validateEvery, request.sample) = (3, 5)
    return request
  }

  @Test func aSessionTellsWhatHappensAndEnds() throws {
    let folder = try TemporaryFolder()
    var request = try request(folder, "m.safetensors")
    request.metadata = { ["made.by": "block \($0.block)"] }
    let session = try TrainingSession(request, workers: Workers(threads: 1))
    #expect(session.isValidated && session.step == 0 && session.sizes.neurons == 64)
    var (updates, validations, samples) = ([Int](), [Double](), [Int]())
    let outcome = try session.train { event in
      switch event {
      case .updated(let line, _): updates.append(line.step)
      case .validated(let line, _, _): validations.append(try #require(line.validationLoss))
      case .sampled(let bytes): samples.append(bytes.count)
      case .stepsFixed: Issue.record("no time limit was given")
      }
    }
    #expect(outcome.end == .finished && outcome.step == 6 && updates == Array(1...6))
    #expect(samples == [5, 5] && validations.count == 2 && outcome.bestLoss == validations.min())
    let model = try Model.load(path: request.out)
    #expect(model.metadata["made.by"] == "block 32" && model.metadata["training.data"] != nil)
    #expect(folder.names.contains("m.checkpoint"))

    request.beginning = .checkpoint(path: request.checkpointPath)
    request.schedule.choose(.learningRate, \.learningRate, 0.5)
    #expect(
      throws: TrainingError.contradicts(
        path: request.checkpointPath, .learningRate, value: "0.001", wanted: "0.5")
    ) { _ = try TrainingSession(request, workers: Workers(threads: 1)) }
  }

  @Test func aSessionIsRefusedInTheFieldsTerms() throws {
    let folder = try TemporaryFolder()
    func refusal(_ change: (inout TrainingRequest) -> Void) throws -> String {
      var request = try request(folder, "m.safetensors")
      change(&request)
      do {
        _ = try TrainingSession(request, workers: Workers(threads: 1))
        return "nothing was refused"
      } catch let error as any InputError { return error.description }
    }
    let refusals: [(String, (inout TrainingRequest) -> Void)] = [
      ("the model 'x.pt'", { $0.out = "x.pt" }), ("the log 'x.txt'", { $0.log = "x.txt" }),
      (
        "the topology log would overwrite",
        {
          $0.log = $0.texts[0] + ".csv"
          $0.emergenceLog = $0.log
        }
      ),
      ("held-out fraction 1.0", { $0.heldOut = 1 }),
      ("updates between validations 0", { $0.validateEvery = 0 }),
      ("warm-up 7", { $0.schedule.choose(.warmup, \.chosenWarmup, 7) }),
      ("n 62", { $0.network.choose(.neurons, \.neurons, 62) }),
      ("weight decay 2000.0 with learning rate", { $0.schedule.choose(.weightDecay, \.weightDecay, 2000) }),
      ("smaller batch, block, n or d", { $0.network.choose(.neurons, \.neurons, 100_000_000) }),
      ("standard input can be read once", { $0.texts = ["-", "-"] }),
    ]
    for (part, change) in refusals {
      let text = try refusal(change)
      #expect(text.contains(part) && !text.contains("--"), "\(text)")
    }
  }

  /// Flags are the command line's: no library says one, in a message or in a comment.
  @Test func librariesNameNoFlags() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources")
    var read = 0
    for case let file as URL in try #require(
      FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    where file.pathExtension == "swift" && file.path.contains("/Sources/Hatchling") {
      let text = try String(contentsOf: file, encoding: .utf8)
      read += 1
      let namesAFlag = text.contains(/--[a-z]/)
      #expect(!namesAFlag, "\(file.lastPathComponent)")
    }
    #expect(read > 100)
  }
}
