// Trains a small network on a text, as `hatchling train` does, and says how the losses fall.
//
//     train-session TEXT MODEL.safetensors [STEPS]
import HatchlingCommands

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2 else { fatalError("give a TEXT and a MODEL.safetensors") }
var request = TrainingRequest(texts: [arguments[0]], out: arguments[1])
request.network.choose(.neurons, \.neurons, 128)
request.network.choose(.synapticDimension, \.synapticDimension, 16)
request.schedule.choose(.block, \.block, 64)
request.schedule.choose(.batch, \.batch, 4)
request.schedule.choose(.steps, \.steps, arguments.count > 2 ? Int(arguments[2]) ?? 20 : 20)
request.sample = 0

let session = try TrainingSession(request) { print("warning: \($0)") }
print("\(session.learnedBytes) bytes to learn, \(session.heldOutBytes) held out")
let outcome = try session.train { event in
  guard case .validated(let line, let meanLoss, _) = event, let heldOut = line.validationLoss else { return }
  print("step \(line.step): \(meanLoss) nats per byte, held out \(heldOut)")
}
print("best held-out loss \(outcome.bestLoss ?? .nan) nats per byte after step \(outcome.bestStep ?? 0)")
precondition(outcome.end == .finished && (outcome.bestLoss ?? .nan) < 5.6)
