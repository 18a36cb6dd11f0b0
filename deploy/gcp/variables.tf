variable "project" {
  description = "Identifier of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the bucket, the cluster and the database, with L4 GPUs, like europe-west4."
  type        = string
}

variable "zones" {
  description = "Zones of the node pools, of which each has L4 GPUs."
  type        = list(string)
}

variable "billing_account" {
  description = "Identifier of the billing account that pays for the project, like 000000-000000-000000."
  type        = string
}

variable "budget_units" {
  description = "Monthly budget in whole units of the billing account's currency."
  type        = number

  validation {
    condition     = var.budget_units > 0
    error_message = "The budget must be above 0."
  }
}

variable "alert_email" {
  description = "Address that alerts and the budget's thresholds are sent to."
  type        = string
}

variable "domains" {
  description = "Hosts of the certificate: that of the forecasts and that of the Dagster UI."
  type        = map(string)
}

variable "administrators" {
  description = "Networks in CIDR notation from which kubectl reaches the cluster's API, by name."
  type        = map(string)
}

variable "database_password" {
  description = "Password of the database user dagster; at least 16 characters. Its Kubernetes Secret has the same."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.database_password) >= 16
    error_message = "The password must have at least 16 characters."
  }
}

variable "database_password_version" {
  description = "Raise it to set a new database_password: a write-only value is sent when its version changes."
  type        = number
  default     = 1
}

variable "database_tier" {
  description = "Machine type of Cloud SQL."
  type        = string
  default     = "db-custom-1-3840"
}

variable "noncurrent_days" {
  description = "Days that replaced and deleted objects can be restored."
  type        = number
  default     = 30
}

variable "most_gpus" {
  description = "Most nodes of each GPU pool; one GPU each. The project's quota must allow it."
  type        = number
  default     = 4
}

variable "notify_landed_files" {
  description = "Whether a Pub/Sub topic gets a message for each new object below raw/, for programs beside this one."
  type        = bool
  default     = false
}

variable "github_repository" {
  description = "Repository, as owner/name, whose workflows validate landed results and registered models; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null ? true : can(regex("^[\\w.-]+/[\\w.-]+$", var.github_repository))
    error_message = "The repository must be owner/name."
  }
}

variable "dispatch_archive" {
  description = "Zip file of the folder dispatch, which the function of github_repository runs."
  type        = string
  default     = "dispatch.zip"
}

variable "deletion_protection" {
  description = "Whether Terraform rejects a plan that deletes the cluster, the database and a bucket with objects."
  type        = bool
  default     = true
}
